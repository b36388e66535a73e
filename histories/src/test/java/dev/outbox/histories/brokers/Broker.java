package dev.outbox.histories.brokers;

import dev.outbox.servers.Killable;
import dev.outbox.servers.TcpProxy;
import java.io.IOException;
import java.util.List;

/** A broker that relays publish to while it is hurt, and the network between them. */
abstract class Broker implements AutoCloseable {
    /** Something that is done to the broker, and undone. */
    interface Fault {
        void begin() throws Exception;

        void end() throws Exception;
    }

    /**
     * A message as a consumer gets it.
     *
     * @param text what was written
     * @param key its key
     * @param at when the publisher sent it, in milliseconds of the clock of this machine
     */
    record Arrival(String text, String key, long at) {}

    private final Killable server;
    private final TcpProxy network;

    /**
     * Has a server that runs.
     *
     * @param network of publishers, and of nobody else
     */
    Broker(Killable server, TcpProxy network) {
        this.server = server;
        this.network = network;
    }

    /** Has a server that runs, and makes the network. */
    Broker(Killable server, String url) throws IOException {
        this(server, TcpProxy.before(url));
    }

    /** A URL of the server, led through the network. */
    final String route(String url) {
        return network.route(url);
    }

    /** From which a relay's process makes its publisher, by {@link Publishers}. */
    abstract String address();

    /** All messages that the broker has, those of a key in their order. The broker is well. */
    abstract List<Arrival> arrivals() throws Exception;

    final void kill() throws Exception {
        server.kill();
    }

    void restart() throws Exception {
        server.restart();
    }

    final void pause() throws Exception {
        server.pause();
    }

    void resume() throws Exception {
        server.resume();
    }

    /** Cuts off all publishers. */
    final void cutOff() {
        network.refuse();
    }

    final void heal() {
        network.heal();
    }

    /** Ends all connections of publishers; new ones work. */
    final void cut() {
        network.cut();
    }

    @Override
    public void close() throws IOException {
        network.close();
        server.close();
    }
}

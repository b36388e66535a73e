package dev.outbox.servers;

import java.io.IOException;

/** A server in a JVM of its own, and a network that leads to it, which may be cut. */
abstract class ProxiedServer implements Killable {
    private final ServerJvm jvm;
    private final TcpProxy network;

    /**
     * Starts nothing yet.
     *
     * @param network closed with the server
     */
    ProxiedServer(ServerJvm jvm, TcpProxy network) {
        this.jvm = jvm;
        this.network = network;
    }

    /** The network of the address that is proxied. */
    public TcpProxy network() {
        return network;
    }

    @Override
    public void kill() {
        jvm.kill();
    }

    @Override
    public void restart() throws Exception {
        jvm.start();
    }

    @Override
    public void pause() throws IOException {
        jvm.pause();
    }

    @Override
    public void resume() throws IOException {
        jvm.resume();
    }

    @Override
    public void close() throws IOException {
        network.close();
        jvm.remove();
    }
}

package dev.outbox.histories;

import dev.outbox.servers.TcpProxy;
import java.io.IOException;
import java.time.Duration;

/** The network between a client and the servers: one server, or several of a set. */
interface Way extends AutoCloseable {
    /** What to connect to. */
    String url();

    /** Ends all connections, and both sides are told. */
    void cut();

    /** From now on nothing gets through, and nobody is told. */
    void stall();

    /** Ends {@link #stall}: what was sent meanwhile arrives. */
    void heal();

    /** How long everything takes, in each direction. */
    void delay(Duration delay);

    /** Nothing gets through any more on the connections that there are, and nobody is told; new ones work. */
    void forget();

    /** Servers see that what was forgotten has ended. */
    void tellServer();

    /** How many connections there are. */
    int connections();

    @Override
    void close() throws IOException;

    /** To one server. */
    record Single(String url, TcpProxy proxy) implements Way {
        static Way to(String url) throws IOException {
            TcpProxy proxy = TcpProxy.before(url);
            return new Single(proxy.route(url), proxy);
        }

        @Override
        public void cut() {
            proxy.cut();
        }

        @Override
        public void stall() {
            proxy.stall();
        }

        @Override
        public void heal() {
            proxy.heal();
        }

        @Override
        public void delay(Duration delay) {
            proxy.delay(delay);
        }

        @Override
        public void forget() {
            proxy.forget();
        }

        @Override
        public void tellServer() {
            proxy.tellServer();
        }

        @Override
        public int connections() {
            return proxy.connections();
        }

        @Override
        public void close() throws IOException {
            proxy.close();
        }
    }
}

package dev.outbox.tck;

import java.net.InetSocketAddress;

/**
 * Tells {@link NetworkTck} how to connect clients to a backend through a proxy, to test a store at level 4. The proxy
 * delays, cuts and loses the traffic between them. If a backend has no TCP endpoint, its store needs no such harness
 * and stops at level 3.
 */
public interface NetworkHarness extends StoreHarness {
    /** The host and port on which the backend of an outbox listens. */
    InetSocketAddress endpoint(String address) throws Exception;

    /**
     * The address of the same outbox through a proxy on this machine, for {@link #open} and {@link #begin}. All their
     * traffic to the backend must go through the proxy. If drivers wait for an answer for minutes, set a timeout of
     * seconds in this address. Otherwise the suite ends a close that gets no answer by cutting the connection.
     */
    String through(String address, InetSocketAddress proxy) throws Exception;
}

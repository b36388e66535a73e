package dev.outbox.tck;

import java.net.InetSocketAddress;

/**
 * What a store provides in addition to be tested at {@link Level#NETWORK}, by {@link NetworkTck}: the suite then puts a proxy between its clients
 * and its backend, which delays, cuts and loses what they say to each other. A store whose backend has no TCP endpoint does
 * without, and stops at {@link Level#CRASH}.
 */
public interface NetworkHarness extends StoreHarness {
    /** Where the backend of an outbox listens. */
    InetSocketAddress endpoint(String address) throws Exception;

    /**
     * The address of the same outbox by way of a proxy on this machine, for {@link #open} and {@link #begin}. Everything
     * that they then say to the backend has to go through it. Where drivers wait for an answer for minutes, better let
     * them wait for seconds here; a close that hears nothing is otherwise ended by the suite, which cuts the connection.
     */
    String through(String address, InetSocketAddress proxy) throws Exception;
}

package dev.outbox.tck;

/**
 * Tells {@link NetworkTck} how to start a server that it may kill, to test a store at level 5. A store whose harness
 * cannot do that stops at level 4.
 */
public interface KillableServerHarness extends NetworkHarness {
    /**
     * Starts a server that nobody else uses. The suite asks for one per class of tests, when the first test needs it.
     * It closes the server after the last test.
     */
    KillableServer startServer() throws Exception;
}

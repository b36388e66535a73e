package dev.outbox.tck;

/**
 * Tells {@link NetworkTck} how to start a server that fails over, to test a store at level 6. A store whose harness
 * cannot do that stops at level 5.
 */
public interface FailoverHarness extends KillableServerHarness {
    /**
     * Starts a server with a copy, which nobody else uses. The suite asks for one per test, and lets it fail over once.
     */
    FailoverServer startFailoverServer() throws Exception;
}

package dev.outbox.tck;

import dev.outbox.tck.memory.MemoryHarness;

/** The in-memory store keeps the contract, served over a socket to this process and to others. */
class MemoryTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MemoryHarness();
    }
}

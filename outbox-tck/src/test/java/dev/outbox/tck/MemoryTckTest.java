package dev.outbox.tck;

import dev.outbox.tck.memory.MemoryHarness;

/** The in-memory store keeps the contract, served over a socket to this process and to others. */
class MemoryTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new MemoryHarness();
    }
}

package dev.outbox.tck.memory;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;

/** The in-memory store keeps the contract, served over a socket to this process and to others. */
class MemoryTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new MemoryHarness();
    }
}

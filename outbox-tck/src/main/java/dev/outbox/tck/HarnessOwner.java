package dev.outbox.tck;

/** A class of tests, of which the suite needs no more than the harness. */
interface HarnessOwner {
    /** The harness of the store to test. */
    StoreHarness harness();
}

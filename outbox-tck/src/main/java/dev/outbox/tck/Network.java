package dev.outbox.tck;

import dev.outbox.tck.internal.network.FaultyProxy;

/** The way through a proxy to the outbox of a test, beside the direct one. */
record Network(NetworkHarness harness, FaultyProxy proxy, String address) {}

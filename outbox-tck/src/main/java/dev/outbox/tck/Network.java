package dev.outbox.tck;

import dev.outbox.tck.internal.network.FaultyProxy;

/** The way to the outbox of a test that leads through a proxy. A test has the direct way as well. */
record Network(NetworkHarness harness, FaultyProxy proxy, String address) {}

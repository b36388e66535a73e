package dev.outbox.tck;

import java.net.InetSocketAddress;

/** The way through a proxy to the outbox of a test, beside the direct one. */
record Network(NetworkHarness harness, FaultyProxy proxy, String address) {
    /** Puts a proxy before the backend; it ends with the test. */
    static Network of(TestOutbox outbox) throws Exception {
        if (!(outbox.harness() instanceof NetworkHarness harness)) {
            throw new IllegalStateException(outbox.harness().getClass().getName() + " is no NetworkHarness");
        }
        InetSocketAddress endpoint = harness.endpoint(outbox.address());
        FaultyProxy proxy = outbox.endWith(new FaultyProxy(endpoint));
        return new Network(harness, proxy, harness.through(outbox.address(), proxy.address()));
    }
}

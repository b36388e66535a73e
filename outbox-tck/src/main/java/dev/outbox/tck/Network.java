package dev.outbox.tck;

import java.net.InetSocketAddress;
import org.opentest4j.TestAbortedException;

/** The way through a proxy to the outbox of a test, beside the direct one. */
record Network(NetworkHarness harness, FaultyProxy proxy, String address) {
    /**
     * Puts a proxy before the backend; it ends with the test.
     *
     * @throws TestAbortedException if the backend has no endpoint, so that nothing can be said about the rule
     */
    static Network of(TestOutbox outbox) throws Exception {
        if (!(outbox.harness() instanceof NetworkHarness harness)) {
            throw new TestAbortedException(outbox.harness().getClass().getName()
                    + " is no NetworkHarness: it names no TCP endpoint, so its store stops at "
                    + Level.CRASH.label());
        }
        InetSocketAddress endpoint = harness.endpoint(outbox.address());
        FaultyProxy proxy = outbox.endWith(new FaultyProxy(endpoint));
        return new Network(harness, proxy, harness.through(outbox.address(), proxy.address()));
    }
}

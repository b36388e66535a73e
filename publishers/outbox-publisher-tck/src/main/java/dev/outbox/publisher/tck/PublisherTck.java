package dev.outbox.publisher.tck;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The contract of publishers in {@code docs/SPEC.md} as tests. To test a publisher, extend this class:
 *
 * <pre>{@code
 * class MyPublisherTest extends PublisherTck {
 *     @Override
 *     protected PublisherHarness harness() {
 *         return new MyHarness();
 *     }
 * }
 * }</pre>
 *
 * <p>Every test gets a destination of its own. A failure names the rule, the observation, and what to check. At the end
 * the suite prints how many rules the publisher keeps.
 */
@SuppressWarnings("exports") // what the tests are made of is nobody's to use
@ExtendWith(PublisherTckExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class PublisherTck implements PublisherRules {
    /** System property: how many seconds a test waits for an event that must happen, before it fails; by default 30. */
    public static final String PATIENCE = "outbox.tck.patience";

    /** For subclasses. JUnit makes one instance for the class. */
    protected PublisherTck() {}

    /** The harness of the publisher to test. The suite asks for it once, and closes it after the last test. */
    protected abstract PublisherHarness harness() throws Exception;
}

package dev.outbox.tck;

import dev.outbox.tck.internal.record.Patience;
import dev.outbox.tck.internal.report.Settings;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The contract of {@code docs/SPEC.md} as tests, at the levels 1 to 3. To test a store, extend this class, or
 * {@link NetworkTck} if the backend listens on a TCP port:
 *
 * <pre>{@code
 * class MyStoreTest extends StoreTck {
 *     @Override
 *     public StoreHarness harness() {
 *         return new MyHarness();
 *     }
 * }
 * }</pre>
 *
 * <p>Every test gets an outbox of its own. A failure names the rule, the observation, and what to check. No test is
 * skipped for a capability that is missing from {@link dev.outbox.Store#capabilities}: it then checks that the store
 * refuses the capability as specified. Tests start further JVMs with the class path of this one.
 *
 * <p>The suite writes a report, {@code conformance.json} and {@code conformance.html}, into {@code outbox-tck/<name of
 * the class>} below {@code target} or {@code build}, if one of these folders exists. The constants of this class name
 * system properties. All of them except {@link #PATIENCE} are also parameters of JUnit's configuration.
 */
@SuppressWarnings("exports") // what the tests are made of is nobody's to use
@ExtendWith(TckExtension.class)
@TestMethodOrder(InSpecOrder.class)
@Timeout(value = TestOutbox.MINUTES, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class StoreTck implements ContractRules, HarnessOwner {
    /** System property: how many seconds a test waits for an event that must happen, before it fails; by default 30. */
    public static final String PATIENCE = Patience.PROPERTY;

    /** The highest level of {@code docs/SPEC.md} to run, from 1 to 6; by default all that the harness can take. */
    public static final String LEVEL = Settings.LEVEL;

    /** The rules to run, ids separated by commas, with * for any text, as in {@code OBX-EXCL-*}; by default all. */
    public static final String RULES = Settings.RULES;

    /** The seed of random choices, a whole number; a report shows it, to repeat its run. By default a new one. */
    public static final String SEED = Settings.SEED;

    /** For how many minutes random sequences of operations are run, such as 0.5 or 600; by default 0.25. */
    public static final String EXPLORE_MINUTES = Settings.EXPLORE_MINUTES;

    /** The most steps of random sequences to run, a whole number; by default as many as the time allows. */
    public static final String EXPLORE_STEPS = Settings.EXPLORE_STEPS;

    /**
     * Of which numbers of partitions and topics checkouts are made: {@code some} near which something may change, as by
     * default, or {@code all}.
     */
    public static final String SWEEP = Settings.SWEEP;

    /** The folder for reports, or {@code none}. The report of a class is in a folder with the name of the class. */
    public static final String REPORT = Settings.REPORT;

    /** Whether to print a line per test; by default false. */
    public static final String PROGRESS = Settings.PROGRESS;

    /** For subclasses. JUnit makes an instance for each test. */
    protected StoreTck() {}

    /** The harness of the store to test. The suite asks for it once per test. */
    @Override
    public abstract StoreHarness harness();
}

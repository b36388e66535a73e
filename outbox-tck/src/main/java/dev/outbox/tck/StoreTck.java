package dev.outbox.tck;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The contract of {@code docs/SPEC.md} as tests, up to {@link Level#CRASH}. A store is tested by a class that extends this
 * one, or {@link NetworkTck} if its backend listens on a TCP port:
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
 * <p>Every test gets an outbox of its own. A failure names the rule, what was observed, and what to check. Optional
 * powers are judged by {@link dev.outbox.Store#capabilities}: what a store does without, it must refuse as specified, and
 * the tests see to that instead of being skipped. Tests start further JVMs with this one's class path.
 *
 * <p>What was seen is written to {@code conformance.json} and {@code conformance.html} in {@code
 * outbox-tck/<name of the class>} below {@code target} or {@code build}, if there is one. The names below are system
 * properties, and parameters of JUnit's configuration as well, except for the first.
 */
@SuppressWarnings("exports") // what the tests are made of is nobody's to use
@ExtendWith(TckExtension.class)
@TestMethodOrder(InSpecOrder.class)
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class StoreTck
        implements TransactionRules,
                ExclusivityRules,
                OrderRules,
                CloseRules,
                FencingRules,
                RetryRules,
                DeadLetterRules,
                OperationsRules,
                FilterAndLimitRules,
                PayloadRules,
                LifecycleRules,
                InputRules,
                CapabilityRules,
                CrashRules,
                KillPointRules,
                PauseRules,
                ConcurrencyRules,
                RelayRules {
    /** System property: for how many seconds to wait for what must happen, before a test fails; by default 30. */
    public static final String PATIENCE = TestOutbox.PATIENCE;

    /** The highest {@link Level} to run, from 1 to 4; by default 4, as far as the class has tests. */
    public static final String LEVEL = "outbox.tck.level";

    /** The rules to run, ids separated by commas, with * for any text, as in {@code OBX-EXCL-*}; by default all. */
    public static final String RULES = "outbox.tck.rules";

    /** The seed of what is drawn by lot, a whole number, to run again what a report shows; by default a new one. */
    public static final String SEED = "outbox.tck.seed";

    /** The folder for reports, each in a folder with the name of its class, or {@code none}. */
    public static final String REPORT = "outbox.tck.report";

    /** Whether to print a line per test; by default false. */
    public static final String PROGRESS = "outbox.tck.progress";

    /** For subclasses. */
    protected StoreTck() {}

    /** The store to test; asked for once per test. */
    public abstract StoreHarness harness();
}

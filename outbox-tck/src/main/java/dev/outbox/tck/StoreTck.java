package dev.outbox.tck;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The contract of {@code docs/SPEC.md} as tests. A store is tested by a class that extends this one:
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
 */
@SuppressWarnings("exports") // what the tests are made of is nobody's to use
@ExtendWith(TckExtension.class)
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
                PauseRules,
                ConcurrencyRules,
                RelayRules {
    /** System property: for how many seconds to wait for what must happen, before a test fails; by default 30. */
    public static final String PATIENCE = "outbox.tck.patience";

    /** For subclasses. */
    protected StoreTck() {}

    /** The store to test; asked for once per test. */
    public abstract StoreHarness harness();
}

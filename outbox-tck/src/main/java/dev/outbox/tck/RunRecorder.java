package dev.outbox.tck;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.Store;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.report.Report;
import dev.outbox.tck.internal.report.Settings;
import dev.outbox.tck.internal.report.Status;
import dev.outbox.tck.internal.report.TestResult;
import dev.outbox.tck.internal.report.TestedStore;
import dev.outbox.tck.internal.report.Witness;
import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.RuleTest;
import dev.outbox.tck.internal.spec.SpecRule;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What happens while a class of tests is run. Safe for use by several threads. */
final class RunRecorder {
    private final Class<?> testClass;
    private final Settings settings;
    private final Instant startedAt = Instant.now();
    private final long start = System.nanoTime();
    private final Map<String, Long> begun = new ConcurrentHashMap<>();
    private final Map<String, Witness> witnesses = new ConcurrentHashMap<>();
    private final Map<String, String> seen = new ConcurrentHashMap<>();
    private final Map<String, TestResult> results = new ConcurrentHashMap<>();
    private final Set<String> refusals = ConcurrentHashMap.newKeySet();
    private @Nullable TestedStore subject;

    RunRecorder(Class<?> testClass, Settings settings) {
        this.testClass = testClass;
        this.settings = settings;
    }

    Settings settings() {
        return settings;
    }

    /** Looks at the store, once, before the first test uses it. */
    synchronized void introduce(StoreHarness harness, TestOutbox outbox) {
        if (subject != null) {
            return;
        }
        String name = "unknown";
        Capabilities capabilities = Capabilities.all();
        String backend = null;
        try {
            backend = harness.backend(outbox.address()).orElse(null);
            try (Store store = harness.open(outbox.address())) {
                name = store.getClass().getName();
                capabilities = store.capabilities();
            }
        } catch (Exception e) {
            // The tests are about to find the same, and to say it better.
        }
        subject = new TestedStore(name, harness.getClass().getName(), backend, capabilities);
    }

    /** What the store says that it can do, once it was introduced. */
    synchronized Capabilities capabilities() {
        return subject == null ? Capabilities.all() : subject.capabilities();
    }

    /** Notes that the rest of a test is about a capability that the store does without. */
    void refused(RuleTest test) {
        refusals.add(test.name());
    }

    void begin(RuleTest test) {
        begun.put(test.name(), System.nanoTime());
    }

    /** Notes what a test is about to fail with. */
    void found(RuleTest test, Witness witness) {
        witnesses.put(test.name(), witness);
    }

    /** Notes what a test is about to pass with. */
    void saw(RuleTest test, String summary) {
        seen.put(test.name(), summary);
    }

    void passed(RuleTest test) {
        Capability capability = SpecRule.of(test.rule()).capability();
        boolean refused = refusals.contains(test.name())
                || capability != null
                        && subject != null
                        && !subject.capabilities().has(capability);
        end(test, refused ? Status.REFUSED : Status.PASS, null);
    }

    void failed(RuleTest test, Throwable cause) {
        String inconclusive = Inconclusive.reason(cause);
        if (inconclusive != null && !witnesses.containsKey(test.name())) {
            end(test, Status.INCONCLUSIVE, inconclusive);
            return;
        }
        witnesses.putIfAbsent(test.name(), new Witness(test.rule(), cause.toString(), List.of()));
        end(test, Status.FAIL, null);
    }

    /** A test that was given up; if it found something, the rule is provisional. */
    void aborted(RuleTest test, Throwable cause) {
        boolean found = witnesses.containsKey(test.name());
        end(test, found ? Status.FAIL : Status.NOT_RUN, found ? null : cause.getMessage());
    }

    void leftOut(RuleTest test, String reason) {
        end(test, Status.NOT_RUN, reason);
    }

    private void end(RuleTest test, Status status, @Nullable String reason) {
        long now = System.nanoTime();
        Duration time = Duration.ofNanos(now - begun.getOrDefault(test.name(), now));
        Witness witness = status == Status.FAIL ? witnesses.get(test.name()) : null;
        results.put(test.name(), new TestResult(test, status, time, reason, seen.get(test.name()), witness));
        if (settings.progress() && status != Status.NOT_RUN) {
            System.out.printf(
                    "%s  %-14s %-4s %6.2f s  %s%n",
                    test.level().label(), test.rule(), sign(status), time.toMillis() / 1_000.0, test.words());
        }
    }

    private static String sign(Status status) {
        return switch (status) {
            case FAIL -> "FAIL";
            case INCONCLUSIVE -> "?";
            default -> "ok";
        };
    }

    private String reasonWithout(RuleTest test) {
        return RuleTests.isMissingIn(test, testClass)
                ? testClass.getName() + " names no TCP endpoint, so that the store stops at " + Level.CRASH.label()
                : "nobody ran it";
    }

    Report report() {
        List<TestResult> all = new ArrayList<>();
        for (RuleTest test : RuleTests.all()) {
            TestResult result = results.getOrDefault(
                    test.name(), new TestResult(test, Status.NOT_RUN, Duration.ZERO, reasonWithout(test), null, null));
            if (RuleTests.isOverriddenIn(test, testClass)) {
                result = new TestResult(
                        test,
                        Status.OVERRIDDEN,
                        result.time(),
                        testClass.getName() + " has a test of its own in its place",
                        null,
                        null);
            }
            all.add(result);
        }
        TestedStore known = subject;
        return new Report(
                known != null ? known : new TestedStore("unknown", "unknown", null, Capabilities.all()),
                testClass.getName(),
                settings,
                startedAt,
                Duration.ofNanos(System.nanoTime() - start),
                List.copyOf(SpecRule.rules().values()),
                all);
    }
}

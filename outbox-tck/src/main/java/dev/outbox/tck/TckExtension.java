package dev.outbox.tck;

import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.record.MissingCapability;
import dev.outbox.tck.internal.record.NotInTime;
import dev.outbox.tck.internal.record.RuleViolation;
import dev.outbox.tck.internal.record.Stalls;
import dev.outbox.tck.internal.record.TookLong;
import dev.outbox.tck.internal.report.Drawn;
import dev.outbox.tck.internal.report.Report;
import dev.outbox.tck.internal.report.ReportFiles;
import dev.outbox.tck.internal.report.Settings;
import dev.outbox.tck.internal.report.Witness;
import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.RuleTest;
import dev.outbox.tck.internal.spec.SpecRule;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestWatcher;
import org.opentest4j.TestAbortedException;

/**
 * Runs what was asked for, gives every test an outbox of its own, turns what a test throws into an account of the rule
 * it carries, and writes the report.
 */
final class TckExtension
        implements BeforeAllCallback,
                ExecutionCondition,
                BeforeEachCallback,
                ParameterResolver,
                TestExecutionExceptionHandler,
                AfterTestExecutionCallback,
                AfterEachCallback,
                TestWatcher,
                AfterAllCallback {
    /** What JUnit adds to a message that says it all. */
    private static final String BARE = " ==> expected: <(true|false)> but was: <(true|false)>$";

    /** How often a test is run that fails while its process stood still. */
    private static final int TRIES = 3;

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(TckExtension.class);

    @Override
    public void beforeAll(ExtensionContext context) {
        Class<?> type = context.getRequiredTestClass();
        Settings settings = Settings.read(context::getConfigurationParameter, type.getName());
        context.getStore(NAMESPACE).put(RunRecorder.class, new RunRecorder(type, settings));
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        Optional<Method> method = context.getTestMethod();
        if (method.isEmpty() || !RuleTests.isOne(method.get())) {
            return ConditionEvaluationResult.enabled("no test of the suite");
        }
        String reason = conduct(context).settings().leavesOut(RuleTests.of(method.get()));
        return reason == null
                ? ConditionEvaluationResult.enabled("asked for")
                : ConditionEvaluationResult.disabled(reason);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        if (!RuleTests.isOne(context.getRequiredTestMethod())) {
            return;
        }
        conduct(context).begin(test(context));
        if (test(context).level() == Level.SERVER) {
            StoreHarness harness = ((HarnessOwner) context.getRequiredTestInstance()).harness();
            if (!(harness instanceof KillableServerHarness)) {
                throw new TestAbortedException(harness.getClass().getName() + " is no "
                        + KillableServerHarness.class.getSimpleName()
                        + " and has no server that may be killed, so that the store stops at " + Level.NETWORK.label());
            }
        }
        if (test(context).level() == Level.FAILOVER) {
            StoreHarness harness = ((HarnessOwner) context.getRequiredTestInstance()).harness();
            if (!(harness instanceof FailoverHarness)) {
                throw new TestAbortedException(harness.getClass().getName() + " is no "
                        + FailoverHarness.class.getSimpleName()
                        + " and has no server that fails over, so that the store stops at " + Level.SERVER.label());
            }
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == TestOutbox.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        HarnessOwner tests = (HarnessOwner) context.getRequiredTestInstance();
        StoreHarness harness = tests.harness();
        if (harness instanceof NetworkHarness && !(tests instanceof NetworkRules)) {
            throw new IllegalStateException(harness.getClass().getName() + " is a NetworkHarness: let "
                    + tests.getClass().getName() + " extend NetworkTck, so that the tests of "
                    + Level.NETWORK.label() + " are run as well.");
        }
        TestOutbox outbox = create(harness, context);
        store(context).put(TestOutbox.class, outbox);
        conduct(context).introduce(harness, outbox);
        outbox.knows(conduct(context).capabilities());
        return outbox;
    }

    private static TestOutbox create(StoreHarness harness, ExtensionContext context) {
        Drawn drawn = conduct(context).settings().drawn();
        if (harness instanceof FailoverHarness failing && test(context).level() == Level.FAILOVER) {
            return TestOutbox.create(failing, drawn);
        }
        return harness instanceof KillableServerHarness killing && test(context).level() == Level.SERVER
                ? TestOutbox.create(harness, serverOfClass(context).get(killing), drawn)
                : TestOutbox.create(harness, drawn);
    }

    private static ServerOfClass serverOfClass(ExtensionContext context) {
        return ofClass(context)
                .getOrComputeIfAbsent(ServerOfClass.class, type -> new ServerOfClass(), ServerOfClass.class);
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable thrown) throws Throwable {
        if (!context.getRequiredTestMethod().isAnnotationPresent(Rule.class)) {
            throw new AssertionError(thrown.toString(), thrown);
        }
        if (thrown instanceof TestAbortedException) {
            throw thrown; // nothing is known about the rule
        }
        if (thrown instanceof MissingCapability) {
            conduct(context).refused(test(context));
            return;
        }
        Throwable last = thrown;
        for (int tries = 1; tries < TRIES && stalled(context, last) != null; tries++) {
            Throwable again = runAgain(context);
            if (again == null) {
                return;
            }
            if (again instanceof MissingCapability) {
                conduct(context).refused(test(context));
                return;
            }
            last = again;
        }
        fail(context, last);
    }

    /** Why a failure may be the machine's doing, or null if it is not. */
    private static @Nullable String stalled(ExtensionContext context, Throwable thrown) {
        TestOutbox outbox = store(context).get(TestOutbox.class, TestOutbox.class);
        if (thrown instanceof RuleViolation broken && broken.isSure()) {
            return null;
        }
        TookLong took = TookLong.causeOf(thrown);
        if (took != null) {
            return took.getMessage();
        }
        if (outbox == null || outbox.harness().lease().isEmpty() && !(thrown instanceof NotInTime)) {
            return null;
        }
        Duration longest = Stalls.ofThisProcess().longestSince(outbox.began());
        Duration harmful = Stalls.harmful(outbox.harness().lease());
        return longest.compareTo(harmful) < 0
                ? null
                : "this process did not run for " + longest.toMillis() + " ms during the test, and "
                        + harmful.toMillis() + " ms are enough to break a promise that depends on time";
    }

    /**
     * Runs a test once more, on an outbox of its own; returns what it failed with, or null. JUnit's time limit is over
     * by now, so it has the same limit here.
     */
    private static @Nullable Throwable runAgain(ExtensionContext context) throws Exception {
        TestOutbox used = store(context).remove(TestOutbox.class, TestOutbox.class);
        HarnessOwner tests = (HarnessOwner) context.getRequiredTestInstance();
        TestOutbox fresh = create(tests.harness(), context);
        fresh.knows(conduct(context).capabilities());
        store(context).put(TestOutbox.class, fresh);
        FutureTask<@Nullable Throwable> again = new FutureTask<>(() -> {
            try {
                used.drop();
            } catch (Exception e) {
                fresh.record("the end of the run before failed: " + e); // a consequence of what failed in it
            }
            try {
                context.getRequiredTestMethod().invoke(tests, fresh);
                return null;
            } catch (InvocationTargetException e) {
                return e.getCause();
            }
        });
        Thread thread = new Thread(again, "tck-again");
        thread.setDaemon(true);
        thread.start();
        try {
            return again.get(TestOutbox.MINUTES, TimeUnit.MINUTES);
        } catch (TimeoutException e) {
            thread.interrupt();
            return new NotInTime("The test did not end within " + TestOutbox.MINUTES + " minutes");
        }
    }

    private static void fail(ExtensionContext context, Throwable thrown) throws Throwable {
        if (thrown instanceof TestAbortedException) {
            throw thrown; // nothing is known about the rule
        }
        RuleTest test = test(context);
        TestOutbox outbox = store(context).get(TestOutbox.class, TestOutbox.class);
        String inconclusive = Inconclusive.reason(thrown);
        if (inconclusive == null) {
            inconclusive = stalled(context, thrown);
        }
        if (inconclusive != null) {
            throw inconclusive(test, inconclusive, outbox, thrown);
        }
        SpecRule rule = SpecRule.of(thrown instanceof RuleViolation broken ? broken.rule() : test.rule());
        String observed = thrown instanceof AssertionError
                ? String.valueOf(thrown.getMessage()).replaceFirst(BARE, "")
                : thrown.toString();
        conduct(context).found(test, new Witness(rule.id(), observed, outbox == null ? List.of() : outbox.events()));
        throw failure(rule, observed, outbox == null ? "none" : outbox.history(), thrown);
    }

    private static RuntimeException inconclusive(
            RuleTest test, String why, @Nullable TestOutbox outbox, Throwable thrown) {
        Inconclusive inconclusive =
                new Inconclusive("""
                %s is neither kept nor broken: the test could not tell, because %s. Run it again.
                Observed: %s
                History: %s
                """.formatted(test.rule(), why, thrown, outbox == null ? "none" : outbox.history()));
        inconclusive.addSuppressed(thrown);
        return inconclusive;
    }

    /** What a test ends with when it found a rule broken; one that is provisional fails nobody's build yet. */
    static Throwable failure(SpecRule rule, String observed, String history, Throwable thrown) {
        String text = """
                %s is broken: %s
                Observed: %s
                History: %s
                Protects: %s
                Check: %s
                """.formatted(rule.id(), rule.sentence(), observed, history, rule.intent(), rule.check());
        return rule.provisional() == null
                ? new AssertionError(text, thrown)
                : new TestAbortedException(
                        "Not a failure yet, because the rule is new in version " + rule.provisional()
                                + " of the contract: " + text,
                        thrown);
    }

    /** A test that returns without having seen anything has not tested anything. */
    @Override
    public void afterTestExecution(ExtensionContext context) {
        TestOutbox outbox = store(context).get(TestOutbox.class, TestOutbox.class);
        if (outbox == null || context.getExecutionException().isPresent()) {
            return;
        }
        if (!outbox.provedAnything()) {
            throw new AssertionError(context.getDisplayName() + " passed without a single message delivered or answer"
                    + " given, so that it proves nothing. What it did: " + outbox.history());
        }
        context.publishReportEntry("seen", outbox.summary());
        if (RuleTests.isOne(context.getRequiredTestMethod())) {
            conduct(context).saw(test(context), outbox.summary());
        }
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        TestOutbox outbox = store(context).get(TestOutbox.class, TestOutbox.class);
        if (outbox != null) {
            outbox.drop();
        }
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        if (RuleTests.isOne(context.getRequiredTestMethod())) {
            conduct(context).passed(test(context));
        }
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        if (RuleTests.isOne(context.getRequiredTestMethod())) {
            conduct(context).failed(test(context), cause);
        }
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        if (RuleTests.isOne(context.getRequiredTestMethod())) {
            conduct(context).aborted(test(context), cause);
        }
    }

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        if (RuleTests.isOne(context.getRequiredTestMethod())) {
            conduct(context).leftOut(test(context), reason.orElse("disabled"));
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        try {
            report(context);
        } finally {
            serverOfClass(context).close();
        }
    }

    private static void report(ExtensionContext context) {
        RunRecorder conduct = conduct(context);
        Report report = conduct.report();
        if (conduct.settings().report() == null) {
            return;
        }
        System.out.println("[outbox-tck] " + context.getRequiredTestClass().getSimpleName() + ": " + report.summary());
        ReportFiles.write(report, conduct.settings().report());
    }

    private static RuleTest test(ExtensionContext context) {
        return RuleTests.of(context.getRequiredTestMethod());
    }

    /** Kept with the class, whose store a test's looks into as well, and which is still open when a test has ended. */
    private static RunRecorder conduct(ExtensionContext context) {
        return ofClass(context).get(RunRecorder.class, RunRecorder.class);
    }

    private static ExtensionContext.Store ofClass(ExtensionContext context) {
        Optional<ExtensionContext> parent =
                context.getTestMethod().isPresent() ? context.getParent() : Optional.of(context);
        return parent.orElse(context).getStore(NAMESPACE);
    }

    private static ExtensionContext.Store store(ExtensionContext context) {
        return context.getStore(NAMESPACE);
    }
}

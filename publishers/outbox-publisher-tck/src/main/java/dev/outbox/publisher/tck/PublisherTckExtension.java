package dev.outbox.publisher.tck;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestWatcher;
import org.opentest4j.TestAbortedException;

/** Gives every test a destination of its own, and turns what a test throws into an account of the rule it carries. */
final class PublisherTckExtension
        implements BeforeAllCallback,
                ParameterResolver,
                TestExecutionExceptionHandler,
                BeforeTestExecutionCallback,
                AfterEachCallback,
                TestWatcher,
                AfterAllCallback {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(PublisherTckExtension.class);

    private volatile long begun;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        @Nullable PublisherHarness harness = ((PublisherTck) context.getRequiredTestInstance()).harness();
        if (harness == null) {
            throw new HarnessException(context.getRequiredTestClass().getSimpleName()
                    + ".harness() returned null; expected a PublisherHarness.");
        }
        context.getStore(NAMESPACE).put(PublisherHarness.class, harness);
        context.getStore(NAMESPACE).put(Outages.class, new Outages(harness));
        context.getStore(NAMESPACE).put(Report.class, new Report(context.getRequiredTestClass(), harness));
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == Bench.class || type == Outages.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        if (parameter.getParameter().getType() == Outages.class) {
            return context.getStore(NAMESPACE).get(Outages.class, Outages.class);
        }
        return context.getStore(NAMESPACE)
                .getOrComputeIfAbsent(Bench.class, type -> bench(harness(context)), Bench.class);
    }

    private static Bench bench(PublisherHarness harness) {
        try {
            return new Bench(harness);
        } catch (Exception e) {
            throw new HarnessException("The harness could not make a destination: " + e, e);
        }
    }

    private static PublisherHarness harness(ExtensionContext context) {
        return context.getStore(NAMESPACE).get(PublisherHarness.class, PublisherHarness.class);
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable thrown) throws Throwable {
        PublisherRule rule = rule(context);
        if (rule == null || thrown instanceof TestAbortedException || thrown instanceof HarnessException) {
            throw thrown;
        }
        String observed = thrown instanceof AssertionError ? String.valueOf(thrown.getMessage()) : thrown.toString();
        throw new AssertionError(
                """
                %s is broken: %s
                Observed: %s
                Protects: %s
                Check: %s
                """.formatted(rule.id(), rule.sentence(), observed, rule.intent(), rule.check()), thrown);
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        Bench bench = context.getStore(NAMESPACE).remove(Bench.class, Bench.class);
        if (bench != null) {
            bench.drop();
        }
    }

    @Override
    public void beforeTestExecution(ExtensionContext context) {
        begun = System.nanoTime();
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        note(context, "pass", null);
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        note(context, cause instanceof HarnessException ? "not run" : "fail", cause.getMessage());
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        note(context, "not run", cause.getMessage());
    }

    private void note(ExtensionContext context, String status, @Nullable String reason) {
        PublisherRule rule = rule(context);
        Report report = context.getStore(NAMESPACE).get(Report.class, Report.class);
        if (rule != null && report != null) {
            report.note(rule, status, reason, Duration.ofNanos(System.nanoTime() - begun));
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        // Taken out of the store, which would close it, too.
        @Nullable
        PublisherHarness harness = context.getStore(NAMESPACE).remove(PublisherHarness.class, PublisherHarness.class);
        Report report = context.getStore(NAMESPACE).get(Report.class, Report.class);
        if (harness == null || report == null) { // it could not be made, which JUnit tells
            return;
        }
        System.out.println("[outbox-publisher-tck] "
                + context.getRequiredTestClass().getSimpleName() + ": " + PublisherRule.ALL.size() + " rules: "
                + report.counts() + "; faults not caused: " + harness.without());
        try {
            report.write();
        } finally {
            harness.close();
        }
    }

    private static @Nullable PublisherRule rule(ExtensionContext context) {
        Rule rule = context.getRequiredTestMethod().getAnnotation(Rule.class);
        return rule == null ? null : PublisherRule.ALL.get(rule.value());
    }
}

package dev.outbox.tck;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/** Gives every test an outbox of its own, and turns what a test throws into a report on the rule it carries. */
final class TckExtension implements ParameterResolver, TestExecutionExceptionHandler, AfterEachCallback {
    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(TckExtension.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == TestOutbox.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        StoreTck test = (StoreTck) context.getRequiredTestInstance();
        return store(context).getOrComputeIfAbsent(TestOutbox.class, type -> TestOutbox.create(test.harness()));
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable thrown) {
        Rule carried = context.getRequiredTestMethod().getAnnotation(Rule.class);
        TestOutbox outbox = store(context).get(TestOutbox.class, TestOutbox.class);
        if (carried == null) {
            throw new AssertionError(thrown.toString(), thrown);
        }
        Spec rule = Spec.of(thrown instanceof RuleBroken broken ? broken.rule() : carried.value());
        String observed = thrown instanceof AssertionError ? String.valueOf(thrown.getMessage()) : thrown.toString();
        throw new AssertionError(
                """
                %s is broken: %s
                Observed: %s
                History: %s
                Protects: %s
                Check: %s
                """.formatted(
                                rule.id(),
                                rule.sentence(),
                                observed,
                                outbox == null ? "none" : outbox.history(),
                                rule.intent(),
                                rule.check()),
                thrown);
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        TestOutbox outbox = store(context).get(TestOutbox.class, TestOutbox.class);
        if (outbox != null) {
            outbox.drop();
        }
    }

    private static ExtensionContext.Store store(ExtensionContext context) {
        return context.getStore(NAMESPACE);
    }
}

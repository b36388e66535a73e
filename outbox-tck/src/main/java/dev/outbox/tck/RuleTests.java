package dev.outbox.tck;

import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.RuleTest;
import dev.outbox.tck.internal.spec.SpecRule;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The tests of the suite, found by their annotations. */
final class RuleTests {
    private static final List<RuleTest> ALL = find();
    private static final Map<String, RuleTest> BY_NAME =
            ALL.stream().collect(Collectors.toUnmodifiableMap(RuleTest::name, Function.identity()));

    private RuleTests() {}

    /** Every test, the lower levels first, then in the order of the rules in the text. */
    static List<RuleTest> all() {
        return ALL;
    }

    /** The test of a method, which may be one that overrides it. */
    static RuleTest of(Method method) {
        RuleTest test = BY_NAME.get(method.getName());
        if (test == null) {
            throw new IllegalStateException(method + " is no test of the suite");
        }
        return test;
    }

    static boolean isOne(Method method) {
        return method.getParameterCount() == 1
                && method.getParameterTypes()[0] == TestOutbox.class
                && BY_NAME.containsKey(method.getName());
    }

    /** Whether a class of tests is without a test, because the backend has no network that could fail. */
    static boolean isMissingIn(RuleTest test, Class<?> type) {
        return test.level().compareTo(Level.NETWORK) >= 0 && !NetworkRules.class.isAssignableFrom(type);
    }

    /** Whether a class has a test of its own in the place of one of the suite. */
    static boolean isOverriddenIn(RuleTest test, Class<?> type) {
        return Arrays.stream(type.getMethods())
                .anyMatch(m -> isOne(m)
                        && m.getName().equals(test.name())
                        && !m.getDeclaringClass().isAnnotationPresent(AtLevel.class));
    }

    private static List<RuleTest> find() {
        List<String> order = new ArrayList<>(SpecRule.rules().keySet());
        return Stream.of(ContractRules.class, NetworkRules.class, ServerRules.class, FailoverRules.class)
                .flatMap(rules -> Arrays.stream(rules.getMethods()))
                .filter(m -> m.isAnnotationPresent(Rule.class))
                .map(m -> new RuleTest(m.getName(), m.getAnnotation(Rule.class).value(), levelOf(m)))
                .sorted(Comparator.comparing(RuleTest::level)
                        .thenComparingInt(test -> order.indexOf(test.rule()))
                        .thenComparing(RuleTest::name))
                .toList();
    }

    private static Level levelOf(Method method) {
        AtLevel level = method.getDeclaringClass().getAnnotation(AtLevel.class);
        if (level == null) {
            throw new IllegalStateException(method + " is in an interface that names no level");
        }
        return level.value();
    }
}

package dev.outbox.publisher.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

/** Every rule can fail: for each there is a publisher that breaks it, and one publisher breaks none. */
class ZooTest {
    private static final Pattern BROKEN = Pattern.compile("(OBX-PUB-\\d+) is broken");

    /** What several threads bring about is left to chance. */
    private static final int MOST_TRIES = 5;

    private static @Nullable MemoryHarness harness;

    /** The suite on the publisher whose turn it is; not run by itself. */
    static class Suite extends PublisherTck {
        @Override
        @SuppressWarnings("NullAway") // as that of an author who has not finished it
        protected PublisherHarness harness() {
            return harness;
        }
    }

    @AfterEach
    void forget() {
        System.clearProperty(PublisherTck.PATIENCE);
    }

    static List<Animal> animals() {
        return Animal.all();
    }

    @Test
    void aPublisherThatKeepsTheRulesPasses() {
        System.setProperty(PublisherTck.PATIENCE, "30");
        Set<String> passed = new TreeSet<>(); // a busy machine may need longer than the publisher waits
        for (int tries = 0; tries < MOST_TRIES && passed.size() < rules().size(); tries++) {
            Events tests = run(new MemoryHarness(
                    MemoryPublisher::new, 4, Duration.ofSeconds(10), EnumSet.allOf(BrokerFault.class)));
            passed.addAll(rules(tests.succeeded()));
        }
        assertEquals(rules(), passed, "rules whose tests passed");
    }

    @ParameterizedTest
    @MethodSource("animals")
    void everyRuleFindsThePublisherThatBreaksIt(Animal animal) {
        System.setProperty(PublisherTck.PATIENCE, "2"); // what is waited for never comes
        Set<String> broken = new TreeSet<>();
        Set<String> others = new TreeSet<>(rules()); // those that are broken at every try
        others.remove(animal.rule());
        others.removeAll(animal.consequences());
        for (int tries = 0; tries < MOST_TRIES && !(broken.contains(animal.rule()) && others.isEmpty()); tries++) {
            Set<String> now = broken(run(new MemoryHarness(
                    animal.publisher(), animal.inFlight(), Duration.ofMillis(1_500), animal.faults())));
            broken.addAll(now);
            others.retainAll(now);
        }
        assertTrue(broken.contains(animal.rule()), animal + " breaks " + broken);
        assertEquals(Set.of(), others, "other rules that are broken by " + animal);
    }

    @Test
    void everyRuleIsBrokenByAnAnimalOfTheZoo() {
        Set<String> unbroken = new TreeSet<>(rules());
        animals().forEach(animal -> unbroken.remove(animal.rule()));
        assertEquals(Set.of(), unbroken, "rules that no animal breaks");
    }

    @Test
    void everyRuleOfTheTextHasATest() {
        Set<String> tested = PublisherRule.ALL.values().stream()
                .filter(PublisherRule::tested)
                .map(PublisherRule::id)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(tested, rules(), "rules of the text, and rules with a test");
        assertTrue(tested.size() > 15, "rules: " + tested);
    }

    @Test
    void aRuleThatNeedsFaultsIsNotKeptWithoutThem() {
        System.setProperty(PublisherTck.PATIENCE, "30");
        Set<String> failed = new TreeSet<>(rules());
        Set<String> aborted = new TreeSet<>();
        for (int tries = 0; tries < MOST_TRIES && !failed.isEmpty(); tries++) {
            Events tests = run(new MemoryHarness(
                    MemoryPublisher::new, 1, Duration.ofSeconds(10), EnumSet.noneOf(BrokerFault.class)));
            failed.retainAll(rules(tests.failed()));
            aborted = rules(tests.aborted());
        }
        assertEquals(Set.of(), failed, "rules whose tests failed, each time");
        assertEquals(
                Set.of(
                        "OBX-PUB-2",
                        "OBX-PUB-3",
                        "OBX-PUB-4",
                        "OBX-PUB-5",
                        "OBX-PUB-6",
                        "OBX-PUB-8",
                        "OBX-PUB-10",
                        "OBX-PUB-15"),
                aborted,
                "rules that were not run");
    }

    @Test
    void aMistakeOfTheHarnessBreaksNoRule() {
        System.setProperty(PublisherTck.PATIENCE, "2");
        MemoryHarness cannot =
                new MemoryHarness(MemoryPublisher::new, 1, Duration.ofSeconds(10), EnumSet.allOf(BrokerFault.class)) {
                    @Override
                    public AutoCloseable cause(BrokerFault fault, String destination) {
                        throw new UnsupportedOperationException("no way to do that");
                    }
                };
        Events tests = run(cannot);
        assertEquals(Set.of(), broken(tests));
        assertTrue(texts(tests).allMatch(text -> text.contains("PublisherHarness.without")));
        assertTrue(tests.failed().count() >= 5, "tests that failed");
        MemoryHarness unfinished = new MemoryHarness(
                (broker, destination) -> null, 1, Duration.ofSeconds(10), EnumSet.allOf(BrokerFault.class));
        tests = run(unfinished);
        assertEquals(Set.of(), broken(tests));
        assertTrue(texts(tests).allMatch(text -> text.contains("PublisherHarness.open returned null")));
        assertEquals(
                List.of("Suite.harness() returned null; expected a PublisherHarness."),
                texts(suite(null).containerEvents()).toList());
    }

    private static Set<String> rules() {
        return Arrays.stream(PublisherRules.class.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Rule.class))
                .map(ZooTest::rule)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> rules(Events tests) {
        return tests.map(event -> event.getTestDescriptor().getSource().orElseThrow())
                .map(source ->
                        rule(((org.junit.platform.engine.support.descriptor.MethodSource) source).getJavaMethod()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String rule(Method method) {
        return method.getAnnotation(Rule.class).value();
    }

    private static Events run(MemoryHarness next) {
        return suite(next).testEvents();
    }

    private static EngineExecutionResults suite(@Nullable MemoryHarness next) {
        harness = next;
        try {
            return EngineTestKit.engine("junit-jupiter")
                    .selectors(selectClass(Suite.class))
                    .configurationParameter("junit.jupiter.conditions.deactivate", "*")
                    .execute();
        } finally {
            harness = null;
        }
    }

    private static Stream<String> texts(Events events) {
        return events.failed()
                .map(event -> event.getRequiredPayload(TestExecutionResult.class)
                        .getThrowable()
                        .map(thrown -> String.valueOf(thrown.getMessage()))
                        .orElse(""));
    }

    private static Set<String> broken(Events tests) {
        return texts(tests)
                .flatMap(text -> BROKEN.matcher(text).results().limit(1))
                .map((MatchResult result) -> result.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}

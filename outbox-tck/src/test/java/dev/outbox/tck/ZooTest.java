package dev.outbox.tck;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.outbox.tck.internal.report.Verdict;
import dev.outbox.tck.internal.spec.RuleTest;
import dev.outbox.tck.internal.spec.SpecRule;
import dev.outbox.tck.memory.Broken;
import dev.outbox.tck.memory.MemoryHarness;
import dev.outbox.tck.memory.Zoo;
import dev.outbox.tck.memory.ZooHarness;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/**
 * Every store of the zoo fails the rules it declares to break, and no others, of the tests that were run on it: all but
 * those with many threads, with other processes, with a faulty network, with a server
 * that dies or with one that fails over, which only stores undergo that say so.
 */
class ZooTest {
    private static final String STORE = "zoo.store";
    private static final Pattern BROKEN =
            Pattern.compile("(OBX-[A-Z]+-\\d+) is broken: .*\nObserved: .*\\S.*", Pattern.DOTALL);

    /** What a test says of a mistake that it saw while the machine was too busy for a verdict. */
    private static final Pattern UNPROVEN = Pattern.compile(
            "(OBX-[A-Z]+-\\d+) is neither kept nor broken: .* because this process did not run for .*", Pattern.DOTALL);

    private static final String UNDER_CRASHES = "underCrashesNothingIsLostSharedOrRepeated";

    /** Beside those of {@link ConcurrencyRules}. */
    private static final Set<String> LEFT_TO_CHANCE = Set.of(
            "twoRelaysKeepEveryPartitionInOrder",
            "relaysThatAreKilledShareAndLoseNothing",
            "processesShareNoMessage",
            "aMoveAndRelaysShareNothing",
            "underFaultsNobodySharesOrLosesAMessage",
            UNDER_CRASHES);

    private static final String SHORT_PATIENCE = "4";

    /** How many run at a time. They mostly wait. */
    private static final int AT_A_TIME = 40;

    /** So often is a store tried again whose mistake only chance shows. */
    private static final int MORE_TRIES = 4;

    private static final Map<String, Future<Verdict>> VERDICTS = new LinkedHashMap<>();

    /** What a test saw that failed. */
    record Failure(Method test, String text) {
        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * What the suite said of a store.
     *
     * @param run how many tests were run
     * @param failed by rule what those tests saw that failed
     * @param unproven rules of which a test could not tell, because the machine stood still
     */
    record Verdict(int run, Map<String, List<Failure>> failed, Set<String> unproven) {
        Verdict and(Verdict other) {
            Map<String, List<Failure>> all = new TreeMap<>(failed);
            all.putAll(other.failed);
            Set<String> open = new TreeSet<>(unproven);
            open.addAll(other.unproven);
            return new Verdict(run + other.run, all, open);
        }

        Verdict without(Set<String> rules) {
            Map<String, List<Failure>> rest = new TreeMap<>(failed);
            rest.keySet().removeAll(rules);
            return new Verdict(run, rest, unproven);
        }
    }

    static Stream<Broken> stores() {
        return Zoo.ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("stores")
    void failsWhatItDeclares(Broken store) throws Exception {
        assertVerdict(store);
    }

    @Test
    void theStoreThatIsNotBrokenFailsNothing() throws Exception {
        assertVerdict(Zoo.SOUND);
    }

    @Test
    void aStoreThatLosesNothingInAFailoverFailsNothing() throws Exception {
        assertVerdict(Zoo.IN_STEP);
    }

    @Test
    void aStoreThatDeclaresOneWriterFailsNothing() throws Exception {
        assertVerdict(Zoo.ONE_WRITER);
    }

    @Test
    void everyTestThatIsLeftToChanceIsThere() {
        Set<String> names = RuleTests.all().stream().map(RuleTest::name).collect(Collectors.toSet());
        assertTrue(names.containsAll(LEFT_TO_CHANCE), "tests of the suite: " + names);
    }

    @Test
    void everyRuleThatAStoreCanBreakIsBrokenByOne() {
        Set<String> unbroken = new TreeSet<>(SpecRule.rules().keySet());
        Zoo.ALL.forEach(store -> unbroken.removeAll(store.rules()));
        // What OutgoingMessage refuses, it refuses before any store is asked.
        assertEquals(Set.of("OBX-INPUT-1"), unbroken, "rules that no store of the zoo breaks");
        assertTrue(Zoo.ALL.size() >= 30, "stores: " + Zoo.ALL.size());
        assertEquals(
                Zoo.ALL.size(), Zoo.ALL.stream().map(Broken::idea).distinct().count(), "stores by different names");
    }

    private static Verdict verdictOn(Broken store) throws Exception {
        return requireNonNull(VERDICTS.get(store.idea())).get();
    }

    private static void assertVerdict(Broken store) throws Exception {
        Verdict verdict = verdictOn(store);
        for (int more = 0; more < MORE_TRIES && !missed(store, verdict).isEmpty() && isLeftToChance(store); more++) {
            verdict = verdict.and(tryAgain(store));
        }
        verdict = withoutFalseAlarms(store, verdict);
        Verdict last = verdict;
        Set<String> expected = new TreeSet<>(store.rules());
        expected.removeAll(missed(store, verdict).stream()
                .filter(verdict.unproven()::contains)
                .toList());
        assertEquals(
                expected,
                verdict.failed().keySet(),
                () -> "rules that a store breaks that " + store + "; what was seen: " + last.failed());
    }

    /**
     * What many tests at a time accuse a store of that does not declare it may only have come too late for a short patience.
     * It counts if those tests say it again, alone and with the patience that users have.
     */
    private static Verdict withoutFalseAlarms(Broken store, Verdict verdict) throws Exception {
        Set<String> alarms = new TreeSet<>(verdict.failed().keySet());
        alarms.removeAll(store.rules());
        List<Method> tests = verdict.failed().entrySet().stream()
                .filter(failures -> alarms.contains(failures.getKey()))
                .flatMap(failures -> failures.getValue().stream())
                .map(Failure::test)
                .distinct()
                .toList();
        if (tests.isEmpty()) {
            return verdict;
        }
        System.clearProperty(StoreTck.PATIENCE);
        try {
            FutureTask<List<Event>> again = new FutureTask<>(() -> inAGroupOfItsOwn(store, tests));
            again.run();
            alarms.removeAll(verdict(List.of(again)).failed().keySet());
            return verdict.without(alarms);
        } finally {
            System.setProperty(StoreTck.PATIENCE, SHORT_PATIENCE);
        }
    }

    private static Verdict tryAgain(Broken store) throws Exception {
        ExecutorService alone = Executors.newSingleThreadExecutor();
        try {
            return verdict(start(store, alone));
        } finally {
            alone.shutdown();
        }
    }

    private static Set<String> missed(Broken store, Verdict verdict) {
        Set<String> missed = new TreeSet<>(store.rules());
        missed.removeAll(verdict.failed().keySet());
        return missed;
    }

    /** Threads, processes and crashes may miss each other on a busy machine; a test that only waits may not. */
    private static boolean isLeftToChance(Broken store) {
        return !store.also().isEmpty();
    }

    @BeforeAll
    static void runTheSuiteOnAll() {
        System.setProperty(StoreTck.PATIENCE, SHORT_PATIENCE); // what must happen does not happen here
        MemoryHarness server = new MemoryHarness(); // whose threads are of no store
        server.dropOutbox(server.createOutbox());
        ExecutorService threads = Executors.newFixedThreadPool(AT_A_TIME);
        Stream.concat(Zoo.ALL.stream(), Zoo.NOT_BROKEN.stream()).forEach(store -> {
            List<Future<List<Event>>> parts = start(store, threads);
            FutureTask<Verdict> verdict = new FutureTask<>(() -> verdict(parts));
            VERDICTS.put(store.idea(), verdict);
        });
        VERDICTS.values().forEach(verdict -> ((FutureTask<Verdict>) verdict).run());
        threads.shutdown();
    }

    private static List<Future<List<Event>>> start(Broken store, ExecutorService threads) {
        return parts(store).stream()
                .map(part -> threads.submit(() -> inAGroupOfItsOwn(store, part)))
                .toList();
    }

    /** The tests by the class they are in, those first that take long. */
    private static Collection<List<Method>> parts(Broken store) {
        return Arrays.stream(NetworkTck.class.getMethods())
                .filter(m -> m.isAnnotationPresent(Rule.class) && isRun(store, m))
                .collect(Collectors.groupingBy(m -> m.getDeclaringClass().getName(), TreeMap::new, Collectors.toList()))
                .values();
    }

    private static boolean isRun(Broken store, Method test) {
        return test.getDeclaringClass() != ExplorationRules.class
                && store.also().containsAll(needs(test)); // which ZooExplorationTest runs
    }

    private static Set<Broken.Also> needs(Method test) {
        Class<?> of = test.getDeclaringClass();
        Set<Broken.Also> needs = EnumSet.noneOf(Broken.Also.class);
        if (of == CrashRules.class || of == KillPointRules.class) {
            needs.add(Broken.Also.KILLS);
        }
        if (of == SweepRules.class || of == CountRules.class) {
            needs.add(Broken.Also.SWEEPS);
        }
        if (of == PauseRules.class) {
            needs.add(Broken.Also.PAUSES);
        }
        if (of == NetworkRules.class) {
            needs.add(Broken.Also.FAULTS);
        }
        if (of == FailoverRules.class) {
            needs.add(Broken.Also.FAILOVERS);
        }
        if (of == ServerRules.class) {
            needs.add(test.getName().equals(UNDER_CRASHES) ? Broken.Also.CRASHES_UNDER_LOAD : Broken.Also.CRASHES);
        } else if (of == ConcurrencyRules.class || LEFT_TO_CHANCE.contains(test.getName())) {
            needs.add(Broken.Also.THREADS);
        }
        return needs;
    }

    /** The suite counts the threads of its group. */
    private static List<Event> inAGroupOfItsOwn(Broken store, List<Method> tests) throws Exception {
        FutureTask<List<Event>> run = new FutureTask<>(() -> run(store, tests));
        new Thread(new ThreadGroup("zoo"), run, "zoo: " + store).start();
        return run.get();
    }

    private static List<Event> run(Broken store, List<Method> tests) {
        return EngineTestKit.engine("junit-jupiter")
                .configurationParameter(STORE, store.idea())
                .configurationParameter(StoreTck.REPORT, "none")
                .selectors(tests.stream()
                        .map(test -> selectMethod(ZooTck.class, test))
                        .toArray(DiscoverySelector[]::new))
                .execute()
                .testEvents()
                .finished()
                .list();
    }

    private static Verdict verdict(List<Future<List<Event>>> parts) throws Exception {
        int run = 0;
        Map<String, List<Failure>> failed = new TreeMap<>();
        Set<String> unproven = new TreeSet<>();
        for (Future<List<Event>> part : parts) {
            for (Event test : part.get()) {
                run++;
                TestExecutionResult result = test.getRequiredPayload(TestExecutionResult.class);
                if (result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
                    String message =
                            result.getThrowable().map(Throwable::getMessage).orElse("nothing");
                    Matcher open = UNPROVEN.matcher(message);
                    if (open.matches()) {
                        unproven.add(open.group(1));
                        continue;
                    }
                    Matcher broken = BROKEN.matcher(message);
                    String rule = broken.matches() ? broken.group(1) : "a failure that names no rule";
                    failed.computeIfAbsent(rule, r -> new ArrayList<>())
                            .add(new Failure(
                                    methodOf(test),
                                    test.getTestDescriptor().getDisplayName() + ": "
                                            + message.lines().limit(2).collect(Collectors.joining(" "))));
                }
            }
        }
        return new Verdict(run, failed, unproven);
    }

    private static Method methodOf(Event test) {
        return test.getTestDescriptor()
                .getSource()
                .map(source -> ((org.junit.platform.engine.support.descriptor.MethodSource) source).getJavaMethod())
                .orElseThrow();
    }

    @AfterAll
    static void showTheTable() throws Exception {
        System.clearProperty(StoreTck.PATIENCE);
        int width =
                Zoo.ALL.stream().mapToInt(store -> store.idea().length()).max().orElse(0);
        StringBuilder table = new StringBuilder("Broken stores and the rules they failed, as declared:\n");
        for (Broken store : Zoo.ALL) {
            Verdict verdict = verdictOn(store);
            table.append(String.format(
                    "  %-" + width + "s  %3d tests  %s%n",
                    store.idea(),
                    verdict.run(),
                    verdict.failed().keySet()));
        }
        System.out.print(table);
    }

    /** Run in here only: nested, so that it is not found as a test of its own. */
    @ExtendWith(StoreByName.class)
    static class ZooTck extends NetworkTck {
        private final Broken store;

        ZooTck(Broken store) {
            this.store = store;
        }

        @Override
        public NetworkHarness harness() {
            return new ZooHarness(store);
        }
    }

    /** Tells the suite which store it is run on. */
    static final class StoreByName implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Broken.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            String idea = context.getConfigurationParameter(STORE).orElseThrow();
            return Stream.concat(Zoo.ALL.stream(), Zoo.NOT_BROKEN.stream())
                    .filter(store -> store.idea().equals(idea))
                    .findFirst()
                    .orElseThrow();
        }
    }
}

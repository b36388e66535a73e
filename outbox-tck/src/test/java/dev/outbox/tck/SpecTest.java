package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.spec.SpecRule;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The text of the contract, its tests, and what the sources cite agree. */
class SpecTest {
    private static final Pattern ID = Pattern.compile("OBX-[A-Z]+-\\d+");

    @Test
    void theSuiteQuotesTheDocument() throws IOException {
        String document = Files.readString(Path.of("..", "docs", "SPEC.md")).replace("\r\n", "\n");
        assertEquals(document, SpecRule.text(), "docs/SPEC.md, and what the suite quotes");
    }

    @Test
    void everyRuleIsWrittenInFull() {
        long headings =
                SpecRule.text().lines().filter(line -> line.startsWith("### ")).count();
        assertTrue(headings > 40, "SPEC.md has " + headings + " rules");
        assertEquals(headings, SpecRule.rules().size(), "rules with sentence, intent and check, of all headings");
    }

    @Test
    void noRuleIsProvisionalForLongerThanItsVersion() {
        List<String> overdue = SpecRule.rules().values().stream()
                .filter(rule ->
                        rule.provisional() != null && !rule.provisional().equals(SpecRule.version()))
                .map(rule -> rule.id() + " since " + rule.provisional())
                .toList();
        assertEquals(List.of(), overdue, "provisional rules of another version than " + SpecRule.version());
    }

    @Test
    void theVersionIsStatedOnce() {
        assertEquals("2.13", SpecRule.version("# Title\n\nVersion 2.13.\n"));
        assertThrows(IllegalStateException.class, () -> SpecRule.version("# Title\n"));
    }

    @Test
    void everyRuleIsTestedOrSaysWhyNot() {
        Set<String> untested = new TreeSet<>(SpecRule.rules().keySet());
        tests().forEach(test -> untested.remove(test.getAnnotation(Rule.class).value()));
        Set<String> excused = SpecRule.rules().values().stream()
                .filter(rule -> rule.untested() != null)
                .map(SpecRule::id)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(excused, untested, "rules without a test are those that say so");
    }

    @Test
    void everyTestCarriesARuleOfTheText() {
        for (Method test : tests()) {
            String id = test.getAnnotation(Rule.class).value();
            assertTrue(SpecRule.rules().containsKey(id), test + " carries " + id + ", which SPEC.md does not have");
        }
        assertTrue(tests().size() > 80, "tests: " + tests().size());
        List<Method> withoutRule = Arrays.stream(NetworkTck.class.getMethods())
                .filter(m -> m.getParameterCount() == 1 && m.getParameterTypes()[0] == TestOutbox.class)
                .filter(m -> !m.isAnnotationPresent(Rule.class))
                .toList();
        assertEquals(List.of(), withoutRule, "tests without a rule");
    }

    @Test
    void everyRuleThatIsCitedIsThere() throws IOException {
        Set<String> cited = new TreeSet<>();
        int read = 0;
        for (String folder : List.of(
                "outbox-api",
                "outbox-relay",
                "outbox-tck",
                "outbox-store-jooq",
                "outbox-store-mongo",
                "outbox-store-redis",
                "examples",
                "docs")) {
            try (Stream<Path> files = Files.walk(Path.of("..", folder))) {
                for (Path file : files.filter(SpecTest::isPublished).toList()) {
                    read++;
                    ID.matcher(Files.readString(file))
                            .results()
                            .map(MatchResult::group)
                            .forEach(cited::add);
                }
            }
        }
        assertTrue(read > 150 && cited.size() > 40, cited.size() + " rules are cited in " + read + " files");
        cited.removeAll(SpecRule.rules().keySet());
        assertEquals(Set.of(), cited, "rules that are cited but not written");
    }

    @Test
    void everyTestHasALevel() {
        for (Method test : tests()) {
            assertTrue(
                    test.getDeclaringClass().isAnnotationPresent(AtLevel.class),
                    test + " is in an interface that names no level");
        }
    }

    private static boolean isPublished(Path file) {
        String name = file.toString().replace('\\', '/');
        return name.endsWith(".md")
                || name.endsWith(".java") && name.contains("/src/main/java/") && !name.contains("/target/");
    }

    private static List<Method> tests() {
        return Arrays.stream(NetworkTck.class.getMethods())
                .filter(m -> m.isAnnotationPresent(Rule.class))
                .toList();
    }
}

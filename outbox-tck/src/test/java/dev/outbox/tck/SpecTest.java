package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.spec.SpecRule;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The text of the contract, its tests, and what the sources cite agree. */
class SpecTest {
    private static final Pattern ID = Pattern.compile("OBX-[A-Z]+-\\d+");
    private static final Pattern SOURCE = Pattern.compile("\\.(java|md|lua|sql|yml)$");

    /** For tests of what the suite does with rules. */
    private static final Set<String> MADE_UP = Set.of("OBX-A-1", "OBX-B-1", "OBX-C-1", "OBX-NOTHING-1");

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
        assertEquals(headings, allRules().size(), "rules with sentence, intent and check, of all headings");
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
        List<Path> sources = sources();
        for (Path file : sources) {
            ID.matcher(Files.readString(file)).results().map(MatchResult::group).forEach(cited::add);
        }
        assertTrue(
                sources.size() > 700 && cited.size() > 40,
                cited.size() + " rules are cited in " + sources.size() + " files");
        cited.removeAll(allRules().keySet());
        assertEquals(MADE_UP, cited, "rules that are cited but not written");
    }

    @Test
    void everyTestHasALevel() {
        for (Method test : tests()) {
            assertTrue(
                    test.getDeclaringClass().isAnnotationPresent(AtLevel.class),
                    test + " is in an interface that names no level");
        }
    }

    /** The rules of stores, and of publishers, which have a suite of their own. */
    private static Map<String, SpecRule> allRules() {
        return SpecRule.parse(SpecRule.text());
    }

    /** All of the checkout, whatever module it is in, but for what builds have made. */
    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        Files.walkFileTree(Path.of(".."), new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                return name.equals("target") || name.startsWith(".") && !name.equals("..")
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (SOURCE.matcher(file.toString()).find()) {
                    sources.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return sources;
    }

    private static List<Method> tests() {
        return Arrays.stream(NetworkTck.class.getMethods())
                .filter(m -> m.isAnnotationPresent(Rule.class))
                .toList();
    }
}

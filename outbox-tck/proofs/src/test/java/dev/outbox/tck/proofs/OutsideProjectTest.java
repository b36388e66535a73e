package dev.outbox.tck.proofs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A stranger who follows the document arrives. What differs between the paths and between versions of JUnit is how the suite
 * is found, and how its further processes are started, and a few rules show that. The tests with the tag {@code conformance}
 * are run by {@code mvn verify -Pconformance} only, because they take minutes.
 */
class OutsideProjectTest {
    /** As the document says. */
    private static final String OLDEST_JUNIT = "5.9.0";

    private static final String NEWEST_JUNIT = System.getProperty("outbox.junit.newest", "");

    @BeforeAll
    static void publish() throws IOException {
        Published.install();
    }

    @Test
    void theStoreOfTheDocumentIsConformant() throws Exception {
        assertConformant(1);
    }

    @Test
    @Tag("conformance")
    void theStoreOfTheDocumentIsConformantAtEveryLevelItCanTake() throws Exception {
        assertConformant(3);
    }

    /** On the module path and with the newest JUnit, as the document has it. */
    private static void assertConformant(int level) throws Exception {
        OutsideProject project = OutsideProject.make("level-" + level);
        project.test(
                "-Djunit.version=" + NEWEST_JUNIT,
                "-Dmodule-path=true",
                "-Doutbox.tck.level=" + (level == 3 ? 4 : level));
        JsonNode report = project.report();
        assertEquals(
                "Conformant at level " + level, report.at("/verdict/sentence").asText());
        assertEquals(0, report.at("/verdict/rules/fail").asInt(), "rules that failed");
        assertEquals("com.example.outbox.HsqlStore", report.at("/store/name").asText());
    }

    @Test
    void theOldestJUnitWorksOnTheClassPath() throws Exception {
        assertWorks(false, "oldest");
    }

    @ParameterizedTest
    @Tag("conformance")
    @CsvSource({"false, newest", "true, oldest", "true, newest"})
    void everyPathAndVersionWorks(boolean modulePath, String junit) throws Exception {
        assertWorks(modulePath, junit);
    }

    private static void assertWorks(boolean modulePath, String junit) throws Exception {
        String version = junit.equals("oldest") ? OLDEST_JUNIT : NEWEST_JUNIT;
        OutsideProject project = OutsideProject.make((modulePath ? "module-path-" : "class-path-") + junit);
        project.test(
                "-Djunit.version=" + version, "-Dmodule-path=" + modulePath, "-Doutbox.tck.rules=OBX-ID-1,OBX-CLOSE-2");
        JsonNode closing = StreamSupport.stream(project.report().get("rules").spliterator(), false)
                .filter(rule -> rule.get("id").asText().equals("OBX-CLOSE-2"))
                .findFirst()
                .orElseThrow();
        assertEquals("pass", closing.at("/levels/1").asText(), "a rule in one process");
        assertEquals("pass", closing.at("/levels/3").asText(), "a rule in several processes");
        Path xml = project.folder().resolve("target/surefire-reports/TEST-com.example.outbox.HsqlStoreTest.xml");
        String ran = Files.readString(xml);
        assertEquals(modulePath, ran.contains("name=\"jdk.module.path\""), "whether it ran on the module path");
        assertTrue(
                ran.contains("junit-jupiter-api-" + version) || ran.contains("junit-jupiter-api/" + version), "JUnit");
    }
}

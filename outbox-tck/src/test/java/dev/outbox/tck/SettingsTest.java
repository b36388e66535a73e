package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is asked of a run is understood, or refused with what was expected. */
class SettingsTest {
    private static final RuleTest TEST = new RuleTest("test", "OBX-EXCL-2", Level.CRASH);

    @Test
    void everythingIsRunUnlessLessIsAskedFor() {
        assertNull(read(Map.of()).leavesOut(TEST));
        assertNull(read(Map.of(StoreTck.LEVEL, "3", StoreTck.RULES, "OBX-TX-1, OBX-EXCL-*"))
                .leavesOut(TEST));
        assertEquals(
                "only levels up to L2 were asked for",
                read(Map.of(StoreTck.LEVEL, "2")).leavesOut(TEST));
        assertEquals(
                "only OBX-EXCL-1 was asked for",
                read(Map.of(StoreTck.RULES, "OBX-EXCL-1")).leavesOut(TEST));
    }

    @Test
    void aReportHasAFolderOfItsOwn() {
        assertEquals(
                Path.of("out", "a.Test"), read(Map.of(StoreTck.REPORT, "out")).report());
        assertEquals(Path.of("target", "outbox-tck", "a.Test"), read(Map.of()).report(), "where Maven builds");
        assertNull(read(Map.of(StoreTck.REPORT, "none")).report());
    }

    @Test
    void explorationTakesTheTimeItIsGiven() {
        assertEquals(Duration.ofSeconds(15), read(Map.of()).drawn().time());
        assertEquals(Long.MAX_VALUE, read(Map.of()).drawn().steps());
        assertEquals(
                Duration.ofMillis(1_500),
                read(Map.of(StoreTck.EXPLORE_MINUTES, "0.025")).drawn().time());
        assertEquals(
                Duration.ofHours(2),
                read(Map.of(StoreTck.EXPLORE_MINUTES, "120")).drawn().time());
        assertEquals(70, read(Map.of(StoreTck.EXPLORE_STEPS, " 70")).drawn().steps());
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertRefused(StoreTck.LEVEL, "5", "expected the highest level to run, from 1 to 4");
        assertRefused(StoreTck.LEVEL, "L3", "from 1 to 4");
        assertRefused(StoreTck.SEED, "seven", "expected a whole number");
        assertRefused(StoreTck.EXPLORE_MINUTES, "long", "expected a number of minutes");
        assertRefused(StoreTck.EXPLORE_MINUTES, "NaN", "expected a number of minutes");
        assertRefused(StoreTck.EXPLORE_STEPS, "0", "1 or more");
        assertRefused(StoreTck.RULES, "OBX-EXCL", "which is no rule; expected ids");
        assertRefused(StoreTck.RULES, "OBX-EXCL-1,", "which is no rule");
    }

    private static void assertRefused(String name, String value, String expected) {
        String said = String.valueOf(assertThrows(IllegalArgumentException.class, () -> read(Map.of(name, value)))
                .getMessage());
        assertTrue(said.startsWith(name) && said.contains(expected), said);
    }

    private static Settings read(Map<String, String> values) {
        return Settings.read(name -> Optional.ofNullable(values.get(name)), "a.Test");
    }
}

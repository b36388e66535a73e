package dev.outbox.tck.internal.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.RuleTest;
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
        assertNull(read(Map.of(Settings.LEVEL, "3", Settings.RULES, "OBX-TX-1, OBX-EXCL-*"))
                .leavesOut(TEST));
        assertEquals(
                "only levels up to L2 were asked for",
                read(Map.of(Settings.LEVEL, "2")).leavesOut(TEST));
        assertEquals(
                "only OBX-EXCL-1 was asked for",
                read(Map.of(Settings.RULES, "OBX-EXCL-1")).leavesOut(TEST));
    }

    @Test
    void aReportHasAFolderOfItsOwn() {
        assertEquals(
                Path.of("out", "a.Test"), read(Map.of(Settings.REPORT, "out")).report());
        assertEquals(Path.of("target", "outbox-tck", "a.Test"), read(Map.of()).report(), "where Maven builds");
        assertNull(read(Map.of(Settings.REPORT, "none")).report());
    }

    @Test
    void explorationTakesTheTimeItIsGiven() {
        assertEquals(Duration.ofSeconds(15), read(Map.of()).drawn().time());
        assertEquals(Long.MAX_VALUE, read(Map.of()).drawn().steps());
        assertEquals(
                Duration.ofMillis(1_500),
                read(Map.of(Settings.EXPLORE_MINUTES, "0.025")).drawn().time());
        assertEquals(
                Duration.ofHours(2),
                read(Map.of(Settings.EXPLORE_MINUTES, "120")).drawn().time());
        assertEquals(false, read(Map.of()).drawn().everyNumber());
        assertEquals(true, read(Map.of(Settings.SWEEP, "all")).drawn().everyNumber());
        assertRefused(Settings.SWEEP, "few", "some or all");
        assertEquals(70, read(Map.of(Settings.EXPLORE_STEPS, " 70")).drawn().steps());
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertRefused(Settings.LEVEL, "7", "expected the highest level to run, from 1 to 6");
        assertRefused(Settings.LEVEL, "L3", "from 1 to 6");
        assertRefused(Settings.SEED, "seven", "expected a whole number");
        assertRefused(Settings.EXPLORE_MINUTES, "long", "expected a number of minutes");
        assertRefused(Settings.EXPLORE_MINUTES, "NaN", "expected a number of minutes");
        assertRefused(Settings.EXPLORE_STEPS, "0", "1 or more");
        assertRefused(Settings.RULES, "OBX-EXCL", "which is no rule; expected ids");
        assertRefused(Settings.RULES, "OBX-EXCL-1,", "which is no rule");
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

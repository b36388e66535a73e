package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeliveryLogTest {
    private static final Delivered FIRST = new Delivered("m1", "C-1", "SO-1");
    private static final Delivered SECOND = new Delivered("m2", "C-2", "SO-2");

    @TempDir
    Path dir;

    @Test
    void keepsWhatWasAppendedAcrossProcesses() throws IOException {
        Path file = dir.resolve("log");
        append(file, FIRST);
        append(file, SECOND);
        assertEquals(List.of(FIRST, SECOND), DeliveryLog.read(file));
    }

    @Test
    void aTornLastLineIsNoDelivery() throws IOException {
        Path file = torn();
        assertEquals(List.of(FIRST), DeliveryLog.read(file));
        assertEquals(1, new DeliveryLog.Counter(file).count());
    }

    @Test
    void aTornLastLineIsCutOffBeforeTheNextDelivery() throws IOException {
        Path file = torn();
        DeliveryLog.Counter counter = new DeliveryLog.Counter(file);
        assertEquals(1, counter.count());
        append(file, SECOND);
        assertEquals(List.of(FIRST, SECOND), DeliveryLog.read(file));
        assertEquals(2, counter.count());
    }

    @Test
    void aFileThatIsOnlyATornLineHoldsNothing() throws IOException {
        Path file = Files.writeString(dir.resolve("log"), "m1\tC-");
        assertEquals(List.of(), DeliveryLog.read(file));
        append(file, FIRST);
        assertEquals(List.of(FIRST), DeliveryLog.read(file));
    }

    @Test
    void countsAsTheFileGrows() throws IOException {
        Path file = dir.resolve("log");
        DeliveryLog.Counter counter = new DeliveryLog.Counter(file);
        assertEquals(0, counter.count());
        try (DeliveryLog log = DeliveryLog.open(file)) {
            for (int i = 1; i <= 10_000; i++) {
                log.append(FIRST);
                if (i % 1_000 == 0) {
                    assertEquals(i, counter.count());
                }
            }
        }
        assertEquals(10_000, DeliveryLog.read(file).size());
    }

    @Test
    void aWholeLineThatIsNoDeliveryIsAnError() throws IOException {
        Path file = Files.writeString(dir.resolve("log"), "m1\tC-1\tSO-1\nm2\n");
        assertEquals(
                file + ":2 is not a delivery: 'm2'",
                assertThrows(IOException.class, () -> DeliveryLog.read(file)).getMessage());
    }

    private Path torn() throws IOException {
        Path file = dir.resolve("log");
        append(file, FIRST);
        Files.writeString(file, "m2\tC-2\tSO", StandardOpenOption.APPEND);
        return file;
    }

    private static void append(Path file, Delivered delivered) throws IOException {
        try (DeliveryLog log = DeliveryLog.open(file)) {
            log.append(delivered);
        }
    }
}

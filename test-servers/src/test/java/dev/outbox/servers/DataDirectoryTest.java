package dev.outbox.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.ChildJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
    /** Memory that nobody gives back would be gone until the machine starts again. */
    @Test
    void whatAJvmHasLeftIsDeletedByTheNextOne(@TempDir Path all) throws Exception {
        Process first = start(all);
        Path left = claimed(first);
        Files.writeString(Files.createDirectory(left.resolve("data")).resolve("file"), "of a server");
        Process second = start(all);
        Path another = claimed(second);
        assertTrue(Files.exists(left), "the directory of a JVM that lives");
        kill(first);
        Process third = start(all);
        claimed(third);
        assertFalse(Files.exists(left), "the directory of a JVM that was killed");
        assertTrue(Files.exists(another), "the directory of a JVM that lives");
        kill(second);
        kill(third);
    }

    @Test
    void thePropertyNamesThePlace(@TempDir Path place) throws IOException {
        String before = System.getProperty(DataDirectory.PROPERTY, "");
        System.setProperty(DataDirectory.PROPERTY, place.resolve("new").toString());
        try {
            assertEquals(place.resolve("new"), DataDirectory.create("a").getParent());
        } finally {
            System.setProperty(DataDirectory.PROPERTY, before);
        }
    }

    private static Process start(Path all) throws IOException {
        return ChildJvm.of(Holder.class, 32, List.of(), List.of(all.toString()))
                .redirectOutput(ProcessBuilder.Redirect.PIPE)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static Path claimed(Process holder) throws IOException {
        BufferedReader said = holder.inputReader();
        return Path.of(said.readLine());
    }

    private static void kill(Process holder) throws InterruptedException {
        holder.destroyForcibly();
        assertTrue(holder.waitFor(300, TimeUnit.SECONDS));
    }

    static final class Holder {
        private Holder() {}

        public static void main(String[] args) throws IOException {
            System.out.println(DataDirectory.claim(Path.of(args[0])).directory());
            System.in.read(); // until it is killed
        }
    }
}

package dev.outbox.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where packaged servers keep their data: in memory, if the system has a directory for that and there is room. Tests
 * kill processes, and never the machine. Files that a process has written outlive it in memory as on a disk, so a test
 * sees the same. On a disk, tests spend most of their time with waiting for commits. The system property
 * {@value #PROPERTY} names another directory.
 */
public final class DataDirectory {
    /** Names the directory in which all others are made. */
    public static final String PROPERTY = "outbox.test.data";

    private static final Path MEMORY = Path.of("/dev/shm");

    /** What is to be left for others, in bytes. A server needs a tenth of it. */
    private static final long ROOM = 3L << 30;

    private static final String LOCK = "lock";

    /** What this JVM has in memory. */
    private static @Nullable Claim ofThisJvm;

    /** A directory, and its lock, which is held until the JVM ends. */
    record Claim(Path directory, FileLock lock) {}

    private DataDirectory() {}

    /** Makes an empty directory. The caller deletes it. */
    public static synchronized Path create(String prefix) throws IOException {
        String named = System.getProperty(PROPERTY, "");
        if (!named.isEmpty()) {
            return Files.createTempDirectory(Files.createDirectories(Path.of(named)), prefix);
        }
        return hasRoom() ? Files.createTempDirectory(inMemory(), prefix) : Files.createTempDirectory(prefix);
    }

    private static boolean hasRoom() {
        try {
            return Files.isWritable(MEMORY)
                    && Files.getFileStore(MEMORY).getUsableSpace() >= ROOM
                    && availableMemory(Files.readAllLines(Path.of("/proc/meminfo"))) >= ROOM;
        } catch (IOException e) {
            return false; // no Linux
        }
    }

    private static long availableMemory(List<String> lines) {
        return lines.stream()
                .filter(line -> line.matches("MemAvailable: +\\d+ kB"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(0);
    }

    private static Path inMemory() throws IOException {
        Claim known = ofThisJvm;
        if (known == null) {
            Path all = Files.createDirectories(MEMORY.resolve("outbox-" + System.getProperty("user.name")));
            known = claim(all);
            ofThisJvm = known;
        }
        return known.directory();
    }

    /**
     * Makes a directory that is locked until this JVM ends, and deletes those of JVMs that were killed. To be called
     * once in a JVM: looking at a lock would end the one that the same JVM has.
     */
    static Claim claim(Path all) throws IOException {
        try (FileChannel channel = open(all.resolve(LOCK))) {
            channel.lock(); // until it is closed, or another JVM would delete what is not locked yet
            List<Path> others;
            try (Stream<Path> found = Files.list(all)) {
                others = found.filter(Files::isDirectory).toList();
            }
            for (Path other : others) {
                deleteIfLeft(other);
            }
            Path made = Files.createTempDirectory(all, "jvm");
            return new Claim(made, open(made.resolve(LOCK)).lock());
        }
    }

    private static void deleteIfLeft(Path directory) {
        try (FileChannel channel = open(directory.resolve(LOCK));
                FileLock free = channel.tryLock()) {
            if (free != null) {
                Databases.deleteTree(directory);
            }
        } catch (IOException | UncheckedIOException e) {
            // a server that has outlived its JVM is writing to it; the next JVM tries again
        }
    }

    private static FileChannel open(Path lock) throws IOException {
        return FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }
}

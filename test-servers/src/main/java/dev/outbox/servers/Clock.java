package dev.outbox.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The clock of processes that are started with its environment, to be moved at will: libfaketime of Debian's package
 * stands between them and the system's. Only what tells the date is moved; what measures how long things take goes on.
 */
public final class Clock implements AutoCloseable {
    private static final DebianPackages PACKAGE = new DebianPackages("faketime", "");

    /** For programs of several threads. */
    private static final String LIBRARY = "libfaketimeMT.so.1";

    private final Path directory;
    private final Path file;
    private final Path library;

    private Clock(Path directory, Path file, Path library) {
        this.directory = directory;
        this.file = file;
        this.library = library;
    }

    /** One that shows the real time. */
    public static Clock real() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("outbox-clock");
        Path root = PACKAGE.unpacked(List.of("libfaketime"), new Commands(directory.resolve("log")));
        try (Stream<Path> files = Files.walk(root)) {
            Path library = files.filter(path -> path.endsWith(LIBRARY))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalStateException("no " + LIBRARY + " in " + root + ": delete that folder"));
            Clock clock = new Clock(directory, directory.resolve("offset"), library);
            clock.set(Duration.ZERO);
            return clock;
        }
    }

    /** From now on it is ahead of the real time by this much; it is late if this is negative. */
    public void set(Duration offset) {
        try {
            Path next = Files.writeString(
                    directory.resolve("next"), (offset.isNegative() ? "" : "+") + offset.toSeconds() + "\n");
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE); // a reader sees the old file or the new one
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What to start a process with. */
    public Map<String, String> environment() {
        return Map.of(
                "LD_PRELOAD",
                library.toString(),
                "FAKETIME_TIMESTAMP_FILE",
                file.toString(),
                "FAKETIME_CACHE_DURATION",
                "1",
                "FAKETIME_DONT_FAKE_MONOTONIC",
                "1",
                "FAKETIME_FORCE_MONOTONIC_FIX", // of older C libraries; elsewhere it ends every wait immediately
                "0",
                "FAKETIME_DONT_RESET",
                "1");
    }

    @Override
    public void close() throws IOException {
        Databases.deleteTree(directory);
    }
}

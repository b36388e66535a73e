package dev.outbox.publisher.tck;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The threads and connections of this process. */
final class Leftovers {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    /** Threads of the JDK and of JUnit, which come and go. */
    private static final Pattern OF_OTHERS =
            Pattern.compile("ForkJoinPool.*|process reaper.*|junit-.*|Attach Listener|.*Common-Cleaner|surefire-.*");

    private Leftovers() {}

    static Set<Thread> threads() {
        return new HashSet<>(Thread.getAllStackTraces().keySet());
    }

    /** The names of the threads that live now and are not among these. */
    static List<String> threadsBut(Set<Thread> known) {
        return threads().stream()
                .filter(thread -> !known.contains(thread))
                .map(Thread::getName)
                .filter(name -> !OF_OTHERS.matcher(name).matches())
                .sorted()
                .toList();
    }

    /** Whether the system shows what is open in a folder. */
    static boolean seesSockets() {
        return Files.isDirectory(DESCRIPTORS);
    }

    /** How many sockets are open, or 0 where the system does not show that. */
    static long sockets() throws IOException {
        if (!seesSockets()) {
            return 0;
        }
        try (Stream<Path> descriptors = Files.list(DESCRIPTORS)) {
            return descriptors.filter(Leftovers::isSocket).count();
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException e) {
            return false; // it was closed meanwhile
        }
    }
}

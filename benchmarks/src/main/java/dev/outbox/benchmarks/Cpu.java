package dev.outbox.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** How long this process and those that it has started have been on a core: clients and servers. On Linux. */
final class Cpu {
    private static final double TICKS_PER_SECOND = 100;

    private Cpu() {}

    static boolean isKnown() {
        return Files.exists(Path.of("/proc/self/stat"));
    }

    static double seconds() {
        ProcessHandle self = ProcessHandle.current();
        return Stream.concat(Stream.of(self), self.descendants())
                .mapToDouble(process -> seconds(process.pid()))
                .sum();
    }

    /** With those of its children that have ended. */
    private static double seconds(long process) {
        String stat;
        try {
            stat = Files.readString(Path.of("/proc", Long.toString(process), "stat"));
        } catch (IOException ended) {
            return 0;
        }
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        long ticks = 0;
        for (int i = 11; i < 15; i++) { // utime, stime, cutime, cstime
            ticks += Long.parseLong(fields[i]);
        }
        return ticks / TICKS_PER_SECOND;
    }
}

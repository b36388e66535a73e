package dev.outbox.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the operating system says of a process, where it is Linux. */
final class ServerProcess {
    private static final double TICKS_PER_SECOND = 100;

    private ServerProcess() {}

    /** Seconds that these have computed; those that have ended count nothing, and NaN if none is known here. */
    static double cpuSeconds(List<Long> pids) {
        double sum = 0;
        int known = 0;
        for (long pid : pids) {
            try {
                String line = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
                String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
                sum += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                known++;
            } catch (IOException e) {
                // ended, or on another machine
            }
        }
        return known == 0 ? Double.NaN : sum / TICKS_PER_SECOND;
    }
}

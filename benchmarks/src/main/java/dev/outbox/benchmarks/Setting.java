package dev.outbox.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;

/**
 * What was measured on, as the system tells it.
 *
 * @param servers names of backends and what their servers say they are
 * @param atLength whether it was a long run
 * @param load the average of the last minute before the run, which other work on the machine has made
 */
record Setting(
        String date,
        int cores,
        String processor,
        long memoryMebibytes,
        String system,
        String java,
        Map<String, String> servers,
        boolean atLength,
        long seconds,
        String load) {
    static Setting now(Map<String, String> servers, boolean atLength, long seconds, String load) {
        return new Setting(
                LocalDate.now(ZoneOffset.UTC).toString(),
                Runtime.getRuntime().availableProcessors(),
                entry("cpuinfo", "model name"),
                memory(entry("meminfo", "MemTotal")),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
                servers,
                atLength,
                seconds,
                load);
    }

    static String loadOfTheLastMinute() {
        try {
            return Files.readString(Path.of("/proc", "loadavg")).split(" ", 2)[0];
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static long memory(String kibibytes) {
        String digits = kibibytes.replaceAll("\\D", "");
        return digits.isEmpty() ? 0 : Long.parseLong(digits) / 1024;
    }

    private static String entry(String file, String name) {
        try {
            return Files.readAllLines(Path.of("/proc", file)).stream()
                    .filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(':') + 1).trim())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}

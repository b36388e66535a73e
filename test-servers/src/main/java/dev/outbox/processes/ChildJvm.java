package dev.outbox.processes;

import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a process is started that runs a class of this one's class path. */
public final class ChildJvm {
    private ChildJvm() {}

    /**
     * Prepares a process. What it prints is dropped, unless the caller decides otherwise.
     *
     * @param megabytes the size of its heap
     * @param options further options of the JVM
     */
    public static ProcessBuilder of(Class<?> main, int megabytes, List<String> options, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx" + megabytes + "m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD);
    }
}

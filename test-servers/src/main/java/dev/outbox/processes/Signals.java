package dev.outbox.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Lets processes stand still, go on, and read their settings again. */
public final class Signals {
    private Signals() {}

    /** Stops a process and all that it has started, and waits until it stands still. */
    public static void pause(ProcessHandle process) throws IOException {
        send("STOP", process);
        Path state = Path.of("/proc", Long.toString(process.pid()), "stat");
        if (!Files.exists(state)) {
            return; // elsewhere the signal has to be trusted
        }
        try {
            Await.until("process " + process.pid() + " stands still", () -> isStopped(state));
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isStopped(Path state) throws IOException {
        try {
            String stat = Files.readString(state);
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (NoSuchFileException e) {
            return true; // it has ended meanwhile
        }
    }

    /** Has them read their settings again, if they are programs that do so. */
    public static void hangUp(ProcessHandle process) throws IOException {
        send("HUP", process);
    }

    /** Lets them go on. */
    public static void resume(ProcessHandle process) throws IOException {
        send("CONT", process);
    }

    private static void send(String signal, ProcessHandle process) throws IOException {
        List<String> processes = Stream.concat(Stream.of(process), process.descendants())
                .map(each -> Long.toString(each.pid()))
                .toList();
        // One that ends meanwhile need not get it.
        Process kill = new ProcessBuilder(
                        "sh", "-c", "kill -" + signal + " " + String.join(" ", processes) + " || true")
                .start();
        kill.onExit().orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
    }
}

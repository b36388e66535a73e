package dev.outbox.servers;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Lets servers stand still, and go on. */
final class Signals {
    private Signals() {}

    /** Stops a process and all that it has started. */
    static void pause(ProcessHandle server) throws IOException {
        send("STOP", server);
    }

    /** Lets them go on. */
    static void resume(ProcessHandle server) throws IOException {
        send("CONT", server);
    }

    private static void send(String signal, ProcessHandle server) throws IOException {
        List<String> processes = Stream.concat(Stream.of(server), server.descendants())
                .map(process -> Long.toString(process.pid()))
                .toList();
        // One that ends meanwhile need not get it.
        Process kill = new ProcessBuilder(
                        "sh", "-c", "kill -" + signal + " " + String.join(" ", processes) + " || true")
                .start();
        kill.onExit().orTimeout(10, TimeUnit.SECONDS).join();
    }
}

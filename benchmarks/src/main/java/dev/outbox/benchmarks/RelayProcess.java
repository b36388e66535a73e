package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A relay in a process of its own, told what to do by lines on its standard input: {@code start}, {@code stop}, which
 * says when what was published since, {@code heap}, which says how many bytes are in use in the middle of a batch.
 */
final class RelayProcess implements AutoCloseable {
    private static final int BATCH = 1000;

    private final Process process;
    private final BufferedReader answers;
    private final OutputStream commands;

    private RelayProcess(Process process) {
        this.process = process;
        this.answers = process.inputReader(StandardCharsets.UTF_8);
        this.commands = process.getOutputStream();
    }

    /** Starts one, whose store is open when this returns. */
    static RelayProcess open(Backend backend, StoreOptions options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-Xmx256m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-cp",
                System.getProperty("java.class.path"),
                RelayProcess.class.getName(),
                backend.url()));
        options.asMap().forEach((name, value) -> command.add(name + "=" + value));
        RelayProcess relay = new RelayProcess(
                new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
        relay.await("ready");
        return relay;
    }

    void start() throws IOException {
        say("start");
        await("started");
    }

    /** When each message was published, in microseconds since 1970, by the number it begins with. */
    Map<Long, Long> stop() throws IOException {
        say("stop");
        Map<Long, Long> published = new HashMap<>();
        for (String line = answers.readLine(); !"stopped".equals(line); line = answers.readLine()) {
            String[] words = require(line).split(" ", -1);
            published.put(Long.parseLong(words[0]), Long.parseLong(words[1]));
        }
        return published;
    }

    /** How many bytes are in use, garbage apart, while a batch of a thousand is being published. */
    long heap() throws IOException {
        say("heap");
        return Long.parseLong(require(answers.readLine()));
    }

    private void say(String command) throws IOException {
        commands.write((command + "\n").getBytes(StandardCharsets.UTF_8));
        commands.flush();
    }

    private void await(String answer) throws IOException {
        String line = require(answers.readLine());
        if (!line.equals(answer)) {
            throw new IOException("The relay said '" + line + "' instead of '" + answer + "'.");
        }
    }

    private static String require(@Nullable String line) throws IOException {
        if (line == null) {
            throw new IOException("The process of a relay has ended.");
        }
        return line;
    }

    @Override
    public void close() throws IOException {
        commands.close();
        process.onExit().orTimeout(30, TimeUnit.SECONDS).join();
    }

    /** The process itself. */
    public static void main(String[] arguments) throws Exception {
        StoreOptions options = StoreOptions.defaults();
        for (String option : List.of(arguments).subList(1, arguments.length)) {
            int equal = option.indexOf('=');
            options = options.with(option.substring(0, equal), option.substring(equal + 1));
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        Queue<long[]> published = new ConcurrentLinkedQueue<>();
        try (Store store = Stores.open(arguments[0], options)) {
            Topic<byte[]> topic = Topic.builder(Load.TOPIC, Codecs.bytes())
                    .publisher(delivery -> {
                        published.add(new long[] {number(delivery), micros()});
                        return Receipt.of("done");
                    })
                    .build();
            say(out, "ready");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            Relay relay = null;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                switch (line) {
                    case "start" -> {
                        relay = Relay.builder(store).topic(topic).build();
                        relay.start();
                        say(out, "started");
                    }
                    case "stop" -> {
                        if (relay != null) {
                            relay.close();
                        }
                        published.forEach(each -> out.println(each[0] + " " + each[1]));
                        published.clear();
                        say(out, "stopped");
                    }
                    case "heap" -> say(out, Long.toString(heapOf(store)));
                    default -> throw new IllegalArgumentException(line);
                }
            }
        }
    }

    private static void say(PrintStream out, String line) {
        out.println(line);
        out.flush();
    }

    private static long heapOf(Store store) {
        long[] used = new long[1];
        int[] seen = new int[1];
        Topic<byte[]> topic = Topic.builder(Load.TOPIC, Codecs.bytes())
                .publisher(delivery -> {
                    if (++seen[0] == BATCH * 5 / 2) {
                        System.gc();
                        used[0] = Runtime.getRuntime().totalMemory()
                                - Runtime.getRuntime().freeMemory();
                    }
                    return Receipt.of("done");
                })
                .build();
        try (Relay relay = Relay.builder(store).topic(topic).build()) {
            for (int i = 0; i < 3; i++) {
                relay.processMessages(BATCH);
            }
        }
        return used[0];
    }

    /** What a payload begins with. */
    static long number(Delivery<byte[]> delivery) {
        return ByteBuffer.wrap(delivery.payload()).getLong();
    }

    /** The time of this machine, which all its processes share. */
    static long micros() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1000;
    }
}

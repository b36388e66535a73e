package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What a relay costs its server while there is nothing to do, compared with a server that nobody uses. */
final class Idle {
    private Idle() {}

    static void measure(Run run) throws Exception {
        Map<String, Backend> backends = new LinkedHashMap<>();
        for (String name : run.of("postgres", "mysql", "mariadb", "redis", "mongo")) {
            Backend backend = run.open(name).ours();
            backend.clear();
            backends.put(name, backend);
        }
        long millis = run.atLength() ? 60_000 : 6_000;
        Map<String, double[]> alone = watch(backends, millis);
        List<AutoCloseable> open = new ArrayList<>();
        for (Backend backend : backends.values()) {
            Store store = backend.open();
            open.add(0, store);
            Topic<byte[]> topic = Topic.builder(Load.TOPIC, Codecs.bytes())
                    .publisher(delivery -> Receipt.taken())
                    .build();
            Relay relay = Relay.builder(store).topic(topic).build();
            relay.start();
            open.add(0, relay);
        }
        TimeUnit.MILLISECONDS.sleep(3_000); // until their pauses have grown to the longest
        Map<String, double[]> polled = watch(backends, millis);
        for (AutoCloseable each : open) {
            each.close();
        }
        polled.forEach((name, ours) -> {
            double[] theirs = alone.getOrDefault(name, new double[2]);
            note(run, name + ".idle.commands", "/s", ours[0] - theirs[0], 1, "one-per-second");
            note(run, name + ".idle.cpu", "%-of-a-core", 100 * (ours[1] - theirs[1]), 100, "a-core");
        });
    }

    private static void note(Run run, String name, String unit, double value, double versus, String what) {
        double atLeastNothing = Math.max(0, value);
        run.note(new Figure(name, unit, List.of(atLeastNothing), List.of(atLeastNothing / versus), what));
    }

    /** Of every server, how many commands and how much computing there was in a second. */
    private static Map<String, double[]> watch(Map<String, Backend> backends, long millis) throws Exception {
        Map<String, Backend.Activity> before = new LinkedHashMap<>();
        for (Map.Entry<String, Backend> each : backends.entrySet()) {
            before.put(each.getKey(), each.getValue().activity());
        }
        TimeUnit.MILLISECONDS.sleep(millis);
        Map<String, double[]> perSecond = new LinkedHashMap<>();
        for (Map.Entry<String, Backend> each : backends.entrySet()) {
            Backend.Activity after = each.getValue().activity();
            Backend.Activity first = before.get(each.getKey());
            if (first != null) {
                perSecond.put(each.getKey(), new double[] {
                    (after.commands() - first.commands()) * 1e3 / millis,
                    (after.cpuSeconds() - first.cpuSeconds()) * 1e3 / millis
                });
            }
        }
        return perSecond;
    }
}

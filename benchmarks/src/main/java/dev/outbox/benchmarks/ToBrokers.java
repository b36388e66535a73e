package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;

/**
 * From a database to a broker: the relay with the publisher of the broker, compared with the client of the broker by
 * hand, which sends the same bytes, and with the relay when its publisher does nothing. The relay does the work of
 * both, so it cannot be faster than the slower one.
 */
final class ToBrokers {
    private static final int LIMIT = 1000;
    private static final int IN_FLIGHT = 100;

    /** One checks out and settles while another waits for the broker. */
    private static final List<Integer> WORKERS = List.of(2, 4);

    private static final Map<String, Callable<BrokerTarget>> TARGETS = new LinkedHashMap<>();

    static {
        TARGETS.put("kafka", KafkaTarget::new);
        TARGETS.put("rabbitmq", RabbitTarget::new);
        TARGETS.put("nats", NatsTarget::new);
    }

    private ToBrokers() {}

    static void measure(Run run) throws Exception {
        for (String name : run.atLength() ? run.backends() : run.of("postgres")) {
            if (name.equals("redis") || name.equals("mongo")) {
                continue; // their loads have no keys
            }
            Run.Pair pair = run.open(name);
            List<Backend> others = new ArrayList<>();
            for (int i = 0; i < WORKERS.size(); i++) {
                others.add(run.openOne(name));
            }
            for (Map.Entry<String, Callable<BrokerTarget>> each : TARGETS.entrySet()) {
                BrokerTarget target = each.getValue().call();
                try {
                    run.noteServer(each.getKey(), target.version());
                    measure(run, name + "." + each.getKey(), pair, others, target);
                } finally {
                    target.close();
                }
            }
            for (Backend other : others) {
                other.close();
            }
        }
    }

    private static void measure(Run run, String name, Run.Pair pair, List<Backend> others, BrokerTarget target)
            throws Exception {
        // Rounds are long, because each side begins with an empty pipe and ends when it is empty again.
        Contest.Pace pace = new Contest.Pace(run.pace().rounds(), run.atLength() ? 4 : 1, 1);
        List<Contest.Side> sides = new ArrayList<>();
        sides.add(relay(pair.ours(), target));
        sides.add(byHand(target));
        sides.add(drain(pair.theirs())
                .publishing(topic ->
                        topic(topic).publisher(delivery -> Receipt.taken()).build()));
        for (int i = 0; i < WORKERS.size(); i++) {
            sides.add(relay(others.get(i), target).workers(WORKERS.get(i)));
        }
        List<List<Contest.Rate>> all = Contest.rates(pace, sides);
        List<double[]> rounds = Contest.perSecond(all);
        run.note(Contest.figure(name + ".relay", "the-slower-of-both", rounds, rates -> Math.min(rates[1], rates[2])));
        run.note(Contest.figure(
                name + ".relay.one-after-the-other",
                "both-one-after-the-other",
                rounds,
                rates -> 1 / (1 / rates[1] + 1 / rates[2])));
        run.note(Contest.figure(name + ".relay.client", "bare-client", rounds, rates -> rates[1]));
        run.note(Contest.figure(name + ".relay.nothing", "publisher-that-does-nothing", rounds, rates -> rates[2]));
        for (int i = 0; i < WORKERS.size(); i++) {
            int side = 3 + i;
            List<double[]> workers = rounds.stream()
                    .map(rates -> new double[] {rates[side], rates[0]})
                    .toList();
            run.note(
                    Contest.figure(name + ".relay.workers" + WORKERS.get(i), "one-worker", workers, rates -> rates[1]));
        }
        if (Cpu.isKnown()) {
            noteCpu(run, name + ".relay", all);
        }
    }

    /** What a message costs, of all cores, and how much of the cores the relay uses. */
    private static void noteCpu(Run run, String name, List<List<Contest.Rate>> rounds) {
        List<double[]> cpu = rounds.stream()
                .map(round ->
                        round.stream().mapToDouble(Contest.Rate::cpuMicros).toArray())
                .toList();
        run.note(cpu(name + ".cpu", cpu, 0, "client-and-nothing", each -> each[1] + each[2]));
        run.note(cpu(name + ".client.cpu", cpu, 1, "relay", each -> each[0]));
        run.note(cpu(name + ".nothing.cpu", cpu, 2, "relay", each -> each[0]));
        int cores = Runtime.getRuntime().availableProcessors();
        List<Double> used = rounds.stream().map(round -> coresOf(round.get(0))).toList();
        run.note(new Figure(
                name + ".cores",
                "",
                used,
                used.stream().map(each -> each / cores).toList(),
                "cores-of-the-machine"));
        // If every core did nothing else, and none ever waited.
        List<double[]> most = rounds.stream()
                .map(round -> new double[] {
                    cores * 1e6 / (round.get(1).cpuMicros() + round.get(2).cpuMicros()),
                    Math.min(round.get(1).perSecond(), round.get(2).perSecond())
                })
                .toList();
        run.note(Contest.figure(name + ".bound", "the-slower-of-both", most, rates -> rates[1]));
    }

    private static double coresOf(Contest.Rate rate) {
        return rate.perSecond() * rate.cpuMicros() / 1e6;
    }

    private static Figure cpu(
            String name, List<double[]> rounds, int side, String versus, ToDoubleFunction<double[]> other) {
        return new Figure(
                name,
                "µs",
                rounds.stream().map(each -> each[side]).toList(),
                rounds.stream()
                        .map(each -> each[side] / other.applyAsDouble(each))
                        .toList(),
                versus);
    }

    private static Drain relay(Backend backend, BrokerTarget target) {
        return drain(backend)
                .publishing(topic -> topic(topic)
                        .inFlight(IN_FLIGHT)
                        .asyncPublisher(target.publisher())
                        .build());
    }

    private static Topic.Builder<byte[]> topic(String name) {
        return Topic.builder(name, Codecs.bytes()).partitions(BrokerTarget.PARTITIONS);
    }

    private static Drain drain(Backend backend) {
        return new Drain(
                new Backlog(
                        backend,
                        Load.of(0).inPartitions(BrokerTarget.PARTITIONS).withKeys()),
                LIMIT);
    }

    private static Contest.Side byHand(BrokerTarget target) {
        return new Contest.Side() {
            @Override
            public int unit() {
                return LIMIT;
            }

            @Override
            public void prepare(int messages) throws Exception {
                target.clear(); // also of what the relay has published
            }

            @Override
            public void run(int messages) throws Exception {
                target.send(messages);
            }

            @Override
            public void close() {}
        };
    }
}

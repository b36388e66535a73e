package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * From a database to a broker: the relay with the publisher of the broker, compared with the client of the broker by
 * hand, which sends the same bytes, and with the relay when its publisher does nothing. The relay does the work of
 * both, so it cannot be faster than the slower one.
 */
final class ToBrokers {
    private static final int LIMIT = 1000;
    private static final int IN_FLIGHT = 100;

    /** One checks out and settles while the other waits for the broker. */
    private static final int WORKERS = 2;

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
            Backend another = run.openOne(name);
            for (Map.Entry<String, Callable<BrokerTarget>> each : TARGETS.entrySet()) {
                BrokerTarget target = each.getValue().call();
                try {
                    run.noteServer(each.getKey(), target.version());
                    measure(run, name + "." + each.getKey(), pair, another, target);
                } finally {
                    target.close();
                }
            }
            another.close();
        }
    }

    private static void measure(Run run, String name, Run.Pair pair, Backend another, BrokerTarget target)
            throws Exception {
        // Rounds are long, because each side begins with an empty pipe and ends when it is empty again.
        Contest.Pace pace = new Contest.Pace(run.pace().rounds(), run.atLength() ? 4 : 1, 1);
        List<double[]> rounds = Contest.rates(
                pace,
                List.of(
                        relay(pair.ours(), target),
                        byHand(target),
                        drain(pair.theirs())
                                .publishing(topic -> topic(topic)
                                        .publisher(delivery -> Receipt.taken())
                                        .build()),
                        relay(another, target).workers(WORKERS)));
        run.note(Contest.figure(name + ".relay", "the-slower-of-both", rounds, rates -> Math.min(rates[1], rates[2])));
        run.note(Contest.figure(
                name + ".relay.one-after-the-other",
                "both-one-after-the-other",
                rounds,
                rates -> 1 / (1 / rates[1] + 1 / rates[2])));
        run.note(Contest.figure(name + ".relay.client", "bare-client", rounds, rates -> rates[1]));
        run.note(Contest.figure(name + ".relay.nothing", "publisher-that-does-nothing", rounds, rates -> rates[2]));
        List<double[]> workers =
                rounds.stream().map(rates -> new double[] {rates[3], rates[0]}).toList();
        run.note(Contest.figure(name + ".relay.workers" + WORKERS, "one-worker", workers, rates -> rates[1]));
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

package dev.outbox.publisher.tck;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The outages of a class of tests, each of which is gone through once. */
final class Outages {
    private final PublisherHarness harness;
    private final Map<BrokerFault, Outage> had = new EnumMap<>(BrokerFault.class);

    Outages(PublisherHarness harness) {
        this.harness = harness;
    }

    /** One by each fault that the harness can cause. */
    List<Outage> all() throws Exception {
        List<Outage> all = new ArrayList<>();
        for (BrokerFault fault : BrokerFault.values()) {
            if (!harness.without().containsKey(fault)) {
                all.add(by(fault));
            }
        }
        Verdicts.requireOne(all, "the harness can cause no fault");
        return all;
    }

    private Outage by(BrokerFault fault) throws Exception {
        Outage known = had.get(fault);
        if (known != null) {
            return known;
        }
        Bench bench = new Bench(harness);
        try {
            Outage outage = Outage.with(bench, fault);
            had.put(fault, outage);
            return outage;
        } finally {
            bench.drop();
        }
    }
}

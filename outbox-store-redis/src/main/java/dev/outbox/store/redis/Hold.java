package dev.outbox.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * What a batch holds: partitions of one place, because what is settled together must be on one server. The token is drawn anew
 * for every checkout: after a failover to a replica that had fallen behind, fences may be given out again, tokens never.
 */
final class Hold {
    final Place place;
    final byte[] token = Place.bytes(UUID.randomUUID().toString());
    final List<Held> partitions = new ArrayList<>();

    /** From before any of it was asked for. */
    final Moment asked = Moment.now();

    Hold(Place place) {
        this.place = place;
    }

    int messages() {
        int count = 0;
        for (Held held : partitions) {
            count += held.entries.size();
        }
        return count;
    }

    /** Lets the leases of some of the partitions begin anew, all or none. */
    Command renew(List<Held> some, byte[] lease) {
        List<byte[]> keys = new ArrayList<>(some.size() + 1);
        List<byte[]> arguments = new ArrayList<>(2 * some.size() + 2);
        keys.add(place.ready());
        arguments.add(token);
        arguments.add(lease);
        for (Held held : some) {
            String member = held.partition.member();
            keys.add(place.state(member));
            arguments.add(Place.bytes(held.fence));
            arguments.add(Place.bytes(member));
        }
        return Script.HOLD.call(keys, arguments);
    }
}

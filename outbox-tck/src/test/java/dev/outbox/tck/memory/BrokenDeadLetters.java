package dev.outbox.tck.memory;

import dev.outbox.DeadLetter;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Stores that cannot let go, or let go of too much. */
final class BrokenDeadLetters {
    static final List<Broken> ALL = List.of(
            Broken.outbox("keeps dead letters in the way", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            List<Outcome> changed = new ArrayList<>();
                            for (Outcome outcome : outcomes) {
                                changed.add(
                                        outcome instanceof Outcome.DeadLettered dead
                                                ? new Outcome.Failed(dead.message(), dead.reason(), Duration.ofHours(1))
                                                : outcome);
                            }
                            super.settle(hold, changed);
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-FIND-1",
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-6",
                            "OBX-DEAD-1",
                            "OBX-DEAD-2",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-ID-2",
                            "OBX-LIFE-3",
                            "OBX-OPS-1",
                            "OBX-OPS-2",
                            "OBX-OPS-4",
                            "OBX-OPS-5",
                            "OBX-RELAY-1",
                            "OBX-RETRY-6"),
            Broken.outbox("lets dead letters vanish", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            List<Outcome> changed = new ArrayList<>();
                            for (Outcome outcome : outcomes) {
                                changed.add(
                                        outcome instanceof Outcome.DeadLettered dead
                                                ? new Outcome.Published(dead.message(), null)
                                                : outcome);
                            }
                            super.settle(hold, changed);
                        }
                    })
                    .breaks(
                            "OBX-DEAD-2",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-OPS-2",
                            "OBX-OPS-4",
                            "OBX-OPS-5",
                            "OBX-RELAY-1",
                            "OBX-RETRY-6"),
            Broken.outbox("lists the last dead letter first", () -> new MemoryState() {
                        @Override
                        public synchronized List<DeadLetter> deadLetters(
                                String topic, @Nullable String afterId, int limit) {
                            List<DeadLetter> page = new ArrayList<>(super.deadLetters(topic, afterId, limit));
                            Collections.reverse(page);
                            return page;
                        }
                    })
                    .breaks("OBX-DEAD-2"),
            Broken.outbox("redrives the same dead letter for two operators", () -> new MemoryState() {
                        private final Map<String, DeadLetter> seen = new HashMap<>();

                        @Override
                        public synchronized int redrive(Collection<String> ids) {
                            // As if each of two operators had read the dead letters before either removed them.
                            List<Written> again = new ArrayList<>();
                            for (String id : ids) {
                                DeadLetter letter = deadLetter(id).orElse(null);
                                DeadLetter before = letter == null ? seen.remove(id) : seen.put(id, letter);
                                if (letter == null && before != null) {
                                    PersistedMessage m = before.message();
                                    long end = write(new OutgoingMessage(
                                                    m.topic(), m.partition(), m.key(), m.headers(), m.payload()))
                                            .position();
                                    again.add(new Written(end, m));
                                }
                            }
                            commit(again);
                            return super.redrive(ids) + again.size();
                        }
                    })
                    .breaks("OBX-DEAD-3"),
            Broken.outbox("redrives in the order of the ids", () -> new MemoryState() {
                        @Override
                        @SuppressWarnings("UnsynchronizedOverridesSynchronized") // what it calls is
                        public int redrive(Collection<String> ids) {
                            return super.redrive(new TreeSet<>(ids));
                        }
                    })
                    .breaks("OBX-DEAD-3"),
            Broken.outbox("redrives in parts, the last part first", () -> new MemoryState() {
                        @Override
                        public synchronized int redrive(Collection<String> ids) {
                            List<String> all = List.copyOf(ids);
                            int part = Math.min(all.size(), 500);
                            return super.redrive(all.subList(part, all.size())) + super.redrive(all.subList(0, part));
                        }
                    })
                    .breaks("OBX-DEAD-3"),
            Broken.outbox("discards no more than a thousand", () -> new MemoryState() {
                        @Override
                        public synchronized int discard(Collection<String> ids) {
                            return super.discard(List.copyOf(ids).subList(0, Math.min(ids.size(), 1_000)));
                        }
                    })
                    .breaks("OBX-DEAD-4"),
            Broken.outbox("redrives under another id", () -> new MemoryState() {
                        @Override
                        public synchronized int redrive(Collection<String> ids) {
                            List<Written> again = new ArrayList<>();
                            for (String id : ids) {
                                deadLetter(id).ifPresent(letter -> {
                                    PersistedMessage m = letter.message();
                                    again.add(write(new OutgoingMessage(
                                            m.topic(), m.partition(), m.key(), m.headers(), m.payload())));
                                    discard(List.of(id));
                                });
                            }
                            commit(again);
                            return again.size();
                        }
                    })
                    .breaks("OBX-DEAD-3", "OBX-PAYLOAD-3"),
            Broken.outbox("refuses a close because of a dead letter", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            Set<String> dead = new HashSet<>();
                            for (Outcome outcome : outcomes) {
                                String id = outcome.message().id();
                                if (outcome instanceof Outcome.DeadLettered
                                        && (!dead.add(id) || deadLetter(id).isPresent())) {
                                    release(hold);
                                    throw new StoreException("duplicate key in the table of dead letters: " + id);
                                }
                            }
                            super.settle(hold, outcomes);
                        }
                    })
                    .breaks("OBX-ID-2"),
            Broken.outbox("takes every id for one of its own", () -> new MemoryState() {
                        @Override
                        public synchronized Optional<DeadLetter> deadLetter(String id) {
                            return super.deadLetter(UUID.fromString(id).toString());
                        }
                    })
                    .breaks("OBX-DEAD-2"),
            Broken.outbox("discards a whole topic for one message", () -> new MemoryState() {
                        @Override
                        public synchronized int discard(Collection<String> ids) {
                            int discarded = super.discard(ids);
                            if (discarded > 0) {
                                super.discard(deadLetters("orders", null, Integer.MAX_VALUE).stream()
                                        .map(letter -> letter.message().id())
                                        .toList());
                            }
                            return discarded;
                        }
                    })
                    .breaks("OBX-DEAD-4", "OBX-OPS-4"));

    private BrokenDeadLetters() {}
}

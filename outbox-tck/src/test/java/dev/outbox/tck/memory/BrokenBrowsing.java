package dev.outbox.tck.memory;

import dev.outbox.Browsing.Page;
import dev.outbox.Holders.Holder;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PendingMessage;
import dev.outbox.store.memory.internal.MemoryState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Stores that show what is not there, hide what is, or are in the way of others when they look. */
final class BrokenBrowsing {
    static final List<Broken> ALL = List.of(
            Broken.outbox("lists what no batch has", () -> new MemoryState() {
                        private final Set<String> held = new HashSet<>();

                        @Override
                        public synchronized Hold checkout(Set<String> topics, int limit) {
                            Hold hold = super.checkout(topics, limit);
                            hold.messages.forEach(m -> held.add(m.id()));
                            return hold;
                        }

                        @Override
                        public synchronized void release(Hold hold) {
                            super.release(hold);
                            hold.messages.forEach(m -> held.remove(m.id()));
                        }

                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            return filtered(
                                    super.pending(topic, partition, after, limit),
                                    m -> !held.contains(m.message().id()));
                        }

                        @Override
                        public synchronized Optional<PendingMessage> pending(String id) {
                            return super.pending(id)
                                    .filter(m -> !held.contains(m.message().id()));
                        }
                    })
                    .breaks("OBX-BROWSE-1", "OBX-BROWSE-3", "OBX-FIND-1"),
            Broken.outbox("lists messages of topics that differ by case", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            Page page = super.pending(topic, partition, after, limit);
                            return topic.equals("orders") && page.next() == null
                                    ? both(super.pending("Orders", partition, null, limit), page)
                                    : page;
                        }
                    })
                    .breaks("OBX-BROWSE-1"),
            Broken.outbox("lists what is not committed", () -> new MemoryState() {
                        private final List<PendingMessage> written = new ArrayList<>();

                        @Override
                        public synchronized Written write(OutgoingMessage message) {
                            Written one = super.write(message);
                            written.add(new PendingMessage(one.message(), null, null));
                            return one;
                        }

                        @Override
                        public void commit(List<Written> messages) {
                            synchronized (this) {
                                messages.forEach(one -> written.removeIf(w ->
                                        w.message().id().equals(one.message().id())));
                            }
                            super.commit(messages);
                        }

                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            Page page = super.pending(topic, partition, after, limit);
                            return page.next() == null && !written.isEmpty()
                                    ? both(page, new Page(List.copyOf(written), null))
                                    : page;
                        }

                        @Override
                        public synchronized Optional<PendingMessage> pending(String id) {
                            return super.pending(id)
                                    .or(() -> written.stream()
                                            .filter(m -> m.message().id().equals(id))
                                            .findFirst());
                        }
                    })
                    .breaks("OBX-BROWSE-1", "OBX-FIND-1"),
            Broken.outbox("does not say why what it lists waits", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            Page page = super.pending(topic, partition, after, limit);
                            return new Page(
                                    page.messages().stream()
                                            .map(m -> new PendingMessage(m.message(), null, m.nextAttempt()))
                                            .toList(),
                                    page.next());
                        }
                    })
                    .breaks("OBX-BROWSE-1"),
            Broken.outbox("lists what came last first", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            Page page = super.pending(topic, partition, after, limit);
                            List<PendingMessage> reversed = new ArrayList<>(page.messages());
                            Collections.reverse(reversed);
                            return new Page(reversed, page.next());
                        }
                    })
                    .breaks("OBX-BROWSE-1", "OBX-BROWSE-2"),
            Broken.outbox("counts pages from the start", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            super.pending(topic, partition, after, limit); // refuses what is no page
                            int passed = after == null ? 0 : Integer.parseInt(after.substring(0, after.indexOf('.')));
                            List<PendingMessage> all = super.pending(topic, partition, null, Integer.MAX_VALUE)
                                    .messages();
                            int end = (int) Math.min(all.size(), (long) passed + limit);
                            return new Page(
                                    all.subList(Math.min(passed, end), end), end < all.size() ? end + ".0" : null);
                        }
                    })
                    .breaks("OBX-BROWSE-2"),
            Broken.outbox("looks for the last message of the page before", () -> new MemoryState() {
                        private final TreeMap<String, String> last = new TreeMap<>();

                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            boolean gone = after != null
                                    && last.containsKey(after)
                                    && super.pending(last.get(after)).isEmpty();
                            Page page = super.pending(topic, partition, gone ? null : after, limit);
                            if (page.next() != null) {
                                int size = page.messages().size();
                                last.put(
                                        page.next(),
                                        page.messages().get(size - 1).message().id());
                            }
                            return page;
                        }
                    })
                    .breaks("OBX-BROWSE-2"),
            Broken.outbox("ends pages at a thousand messages", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            Page page = super.pending(topic, partition, after, Math.min(limit, 1_000));
                            return limit > 1_000 ? new Page(page.messages(), null) : page;
                        }
                    })
                    .breaks("OBX-BROWSE-2"),
            Broken.outbox("fills pages with large messages", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            Page page = super.pending(topic, partition, after, limit);
                            while (page.next() != null && page.messages().size() < limit) {
                                Page rest = super.pending(
                                        topic,
                                        partition,
                                        page.next(),
                                        limit - page.messages().size());
                                page = new Page(both(page, rest).messages(), rest.next());
                            }
                            return page;
                        }
                    })
                    .breaks("OBX-BROWSE-2"),
            Broken.outbox("takes any text for a page", () -> new MemoryState() {
                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            try {
                                return super.pending(topic, partition, after, limit);
                            } catch (MisuseException e) {
                                return super.pending(topic, partition, null, limit);
                            }
                        }
                    })
                    .breaks("OBX-BROWSE-2"),
            Broken.client("holds what it lists", store -> new PassingStore(store) {
                        private @Nullable MessageBatch listing;

                        @Override
                        public synchronized Page pending(
                                String topic, @Nullable Integer partition, @Nullable String after, int limit) {
                            if (listing == null) {
                                listing = checkout(Set.of(topic), 1);
                                if (listing.messages().isEmpty()) {
                                    listing.close();
                                    listing = null;
                                }
                            }
                            return super.pending(topic, partition, after, limit);
                        }
                    })
                    .breaks("OBX-BROWSE-3"),
            Broken.outbox("finds the first of each partition only", () -> new MemoryState() {
                        @Override
                        public synchronized Optional<PendingMessage> pending(String id) {
                            return super.pending(id)
                                    .filter(m -> pending(
                                                    m.message().topic(),
                                                    m.message().partition(),
                                                    null,
                                                    1)
                                            .messages()
                                            .contains(m));
                        }
                    })
                    .breaks("OBX-FIND-1"),
            Broken.outbox("finds dead letters among what waits", () -> new MemoryState() {
                        @Override
                        public synchronized Optional<PendingMessage> pending(String id) {
                            return super.pending(id)
                                    .or(() -> deadLetter(id).map(d -> new PendingMessage(d.message(), null, null)));
                        }
                    })
                    .breaks("OBX-FIND-1"),
            Broken.outbox("lists those who held once", () -> new MemoryState() {
                        private final List<Holder> ever = new ArrayList<>();

                        @Override
                        public synchronized List<Holder> holders() {
                            super.holders().stream()
                                    .filter(now -> ever.stream()
                                            .noneMatch(old -> old.topic().equals(now.topic())
                                                    && old.partition() == now.partition()))
                                    .forEach(ever::add);
                            return ever.stream()
                                    .sorted(Comparator.comparing(Holder::topic).thenComparing(Holder::partition))
                                    .toList();
                        }
                    })
                    .breaks("OBX-HOLD-1"),
            Broken.client("knows its own holds alone", store -> new PassingStore(store) {
                        private final Set<String> own = new HashSet<>();

                        @Override
                        public synchronized MessageBatch checkout(Set<String> topics, int limit) {
                            MessageBatch batch = super.checkout(topics, limit);
                            batch.messages().forEach(m -> own.add(m.topic() + m.partition()));
                            return batch;
                        }

                        @Override
                        public synchronized List<Holder> holders() {
                            return super.holders().stream()
                                    .filter(holder -> own.contains(holder.topic() + holder.partition()))
                                    .toList();
                        }
                    })
                    .breaks("OBX-HOLD-1"));

    private BrokenBrowsing() {}

    private static Page both(Page one, Page other) {
        return new Page(
                Stream.concat(one.messages().stream(), other.messages().stream())
                        .toList(),
                null);
    }

    private static Page filtered(Page page, Predicate<PendingMessage> wanted) {
        return new Page(page.messages().stream().filter(wanted).toList(), page.next());
    }
}

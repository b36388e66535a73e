package dev.outbox.tck.memory;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Stores whose close does too little, too much, or something else. */
final class BrokenCloses {
    static final List<Broken> ALL = List.of(
            Broken.client("settles at the last mark", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                private int marked;

                                @Override
                                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                                    super.markPublished(message, publishId);
                                    if (++marked == messages().size()) {
                                        super.close();
                                    }
                                }
                            };
                        }
                    })
                    .testedFor(Broken.Also.KILLS)
                    .breaks("OBX-CLOSE-1", "OBX-CLOSE-2", "OBX-FENCE-1", "OBX-FENCE-3"),
            Broken.client("settles what was marked when it fails", store -> new PassingStore(store) {
                        private final Set<MessageBatch> open = ConcurrentHashMap.newKeySet();

                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            open.add(batch);
                            return new PassingBatch(batch) {
                                @Override
                                public void close() {
                                    open.remove(batch);
                                    super.close();
                                }
                            };
                        }

                        @Override
                        public void close() {
                            open.forEach(MessageBatch::close);
                            open.clear();
                            super.close();
                        }
                    })
                    .breaks("OBX-CLOSE-1", "OBX-CLOSE-2", "OBX-FENCE-1"),
            Broken.outbox("settles half a batch", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            super.settle(hold, outcomes.subList(0, (outcomes.size() + 1) / 2));
                        }
                    })
                    .testedFor(Broken.Also.THREADS)
                    .breaks(
                            "OBX-BROWSE-2",
                            "OBX-BROWSE-3",
                            "OBX-FIND-1",
                            "OBX-HOLD-1",
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-6",
                            "OBX-DEAD-2",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-EXCL-1",
                            "OBX-EXCL-3",
                            "OBX-ID-2",
                            "OBX-LIFE-3",
                            "OBX-OPS-1",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-OPS-4",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-ORDER-1",
                            "OBX-ORDER-2",
                            "OBX-RELAY-2",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-5",
                            "OBX-RETRY-6",
                            "OBX-TX-1",
                            "OBX-TX-4",
                            "OBX-TX-6",
                            "OBX-TX-7"),
            Broken.outbox("settles up to the last mark", () -> new MemoryState() {
                        @Override
                        public synchronized void settle(Hold hold, List<Outcome> outcomes) {
                            Map<String, Outcome> marks = new LinkedHashMap<>();
                            outcomes.forEach(
                                    outcome -> marks.put(outcome.message().id(), outcome));
                            List<Outcome> all = new ArrayList<>();
                            for (PersistedMessage message : hold.messages) {
                                if (!marks.isEmpty()) {
                                    Outcome mark = marks.remove(message.id());
                                    all.add(mark == null ? new Outcome.Published(message, null) : mark);
                                }
                            }
                            super.settle(hold, all);
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-2",
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-6",
                            "OBX-LIFE-3",
                            "OBX-OPS-1",
                            "OBX-OPS-3",
                            "OBX-ORDER-2",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2"),
            Broken.client("ignores close", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void close() {
                                    // later, perhaps
                                }
                            };
                        }
                    })
                    .breaks(
                            "OBX-BROWSE-1",
                            "OBX-BROWSE-3",
                            "OBX-FIND-1",
                            "OBX-HOLD-1",
                            "OBX-CLOSE-1",
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-4",
                            "OBX-CLOSE-6",
                            "OBX-DEAD-1",
                            "OBX-DEAD-2",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-EXCL-1",
                            "OBX-EXCL-2",
                            "OBX-EXCL-3",
                            "OBX-FENCE-1",
                            "OBX-FENCE-3",
                            "OBX-FILTER-1",
                            "OBX-ID-1",
                            "OBX-ID-2",
                            "OBX-LIFE-2",
                            "OBX-LIFE-3",
                            "OBX-LIFE-5",
                            "OBX-LIMIT-1",
                            "OBX-LIMIT-2",
                            "OBX-OPS-1",
                            "OBX-OPS-2",
                            "OBX-OPS-3",
                            "OBX-OPS-4",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-ORDER-1",
                            "OBX-ORDER-2",
                            "OBX-ORDER-3",
                            "OBX-ORDER-4",
                            "OBX-PAYLOAD-1",
                            "OBX-PAYLOAD-2",
                            "OBX-PAYLOAD-3",
                            "OBX-RELAY-1",
                            "OBX-RETRY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3",
                            "OBX-RETRY-4",
                            "OBX-RETRY-5",
                            "OBX-RETRY-6",
                            "OBX-TX-3",
                            "OBX-TX-4",
                            "OBX-TX-5"),
            Broken.client("takes the second close for a mistake", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                private boolean closed;

                                @Override
                                public void close() {
                                    if (closed) {
                                        throw new HoldLostException("The batch is closed already.");
                                    }
                                    closed = true;
                                    super.close();
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-3", "OBX-CLOSE-5", "OBX-FENCE-1", "OBX-LIFE-2"),
            Broken.client("settles again at the second close", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                private boolean closed;

                                @Override
                                public void close() {
                                    if (!closed) {
                                        closed = true;
                                        super.close();
                                        return;
                                    }
                                    for (PersistedMessage before : messages()) {
                                        try (MessageBatch again = store.checkout(Set.of(before.topic()), 1)) {
                                            again.messages().forEach(m -> again.markPublished(m, null));
                                        }
                                    }
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-3", "OBX-FENCE-1", "OBX-LIFE-2"),
            Broken.client("takes a lost answer for a success", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void close() {
                                    try {
                                        super.close();
                                    } catch (StoreException e) {
                                        // it will have arrived
                                    }
                                }
                            };
                        }
                    })
                    .testedFor(Broken.Also.FAULTS)
                    .breaks("OBX-CLOSE-1", "OBX-FENCE-1"),
            Broken.client("settles one partition after the other", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new InTwoSteps(store, batch);
                        }
                    })
                    .testedFor(Broken.Also.FAULTS)
                    .breaks("OBX-CLOSE-1"),
            Broken.client("takes every mark", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                                    try {
                                        super.markPublished(message, publishId);
                                    } catch (MisuseException e) {
                                        // let them
                                    }
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-4", "OBX-CLOSE-5", "OBX-LIFE-2"),
            Broken.client("returns null instead of an empty batch", store -> new PassingStore(store) {
                        @Override
                        @SuppressWarnings("NullAway") // that is it
                        MessageBatch batch(MessageBatch batch) {
                            return batch.messages().isEmpty() ? null : batch;
                        }
                    })
                    .breaks(
                            "OBX-CLOSE-3",
                            "OBX-CLOSE-4",
                            "OBX-CLOSE-5",
                            "OBX-DEAD-1",
                            "OBX-DEAD-3",
                            "OBX-DEAD-4",
                            "OBX-EXCL-1",
                            "OBX-EXCL-2",
                            "OBX-FENCE-1",
                            "OBX-FILTER-1",
                            "OBX-ID-2",
                            "OBX-INPUT-3",
                            "OBX-LIFE-1",
                            "OBX-LIFE-2",
                            "OBX-LIFE-3",
                            "OBX-LIFE-5",
                            "OBX-OPS-3",
                            "OBX-OPS-5",
                            "OBX-OPS-6",
                            "OBX-ORDER-3",
                            "OBX-RELAY-1",
                            "OBX-RETRY-2",
                            "OBX-RETRY-3",
                            "OBX-RETRY-5",
                            "OBX-TX-1",
                            "OBX-TX-2",
                            "OBX-TX-3",
                            "OBX-TX-4",
                            "OBX-TX-6",
                            "OBX-TX-7"),
            Broken.client("takes marks on an empty batch", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                @Override
                                public void markPublished(PersistedMessage message, @Nullable String publishId) {
                                    if (!messages().isEmpty()) {
                                        super.markPublished(message, publishId);
                                    }
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-5"),
            Broken.client("changes the list that it returned", store -> new PassingStore(store) {
                        @Override
                        MessageBatch batch(MessageBatch batch) {
                            return new PassingBatch(batch) {
                                private final List<PersistedMessage> unmarked = new ArrayList<>(super.messages());

                                @Override
                                public List<PersistedMessage> messages() {
                                    return unmarked;
                                }

                                @Override
                                public void close() {
                                    super.close();
                                    unmarked.clear();
                                }
                            };
                        }
                    })
                    .breaks("OBX-CLOSE-6"));

    private BrokenCloses() {}

    /** Closes, and then checks out again what it has not settled yet. */
    private static final class InTwoSteps extends PassingBatch {
        private final Store store;
        private final BatchOutcomes outcomes;

        InTwoSteps(Store store, MessageBatch batch) {
            super(batch);
            this.store = store;
            this.outcomes = new BatchOutcomes(batch.messages());
        }

        @Override
        public List<PersistedMessage> messages() {
            return outcomes.messages();
        }

        @Override
        public boolean isHeld() {
            return outcomes.isOpen() && super.isHeld();
        }

        @Override
        public void markPublished(PersistedMessage message, @Nullable String publishId) {
            outcomes.published(message, publishId);
        }

        @Override
        public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
            outcomes.failed(message, reason, retryAfter);
        }

        @Override
        public void deadLetter(PersistedMessage message, String reason) {
            outcomes.deadLettered(message, reason);
        }

        @Override
        public void close() {
            if (!outcomes.close()) {
                return;
            }
            Map<String, Outcome> rest = new LinkedHashMap<>();
            Set<String> topics = new HashSet<>();
            for (Outcome outcome : outcomes.applicable()) {
                PersistedMessage message = outcome.message();
                if (message.partition() == messages().get(0).partition()) {
                    apply(outcome, super::markPublished, super::markFailed, super::deadLetter, message);
                } else {
                    rest.put(message.id(), outcome);
                    topics.add(message.topic());
                }
            }
            super.close();
            if (!rest.isEmpty()) {
                try (MessageBatch again = store.checkout(topics, 10_000)) {
                    for (PersistedMessage message : again.messages()) {
                        Outcome outcome = rest.get(message.id());
                        if (outcome != null) {
                            apply(outcome, again::markPublished, again::markFailed, again::deadLetter, message);
                        }
                    }
                }
            }
        }

        private interface Failing {
            void mark(PersistedMessage message, String reason, Duration retryAfter);
        }

        private static void apply(
                Outcome outcome,
                BiConsumer<PersistedMessage, @Nullable String> published,
                Failing failed,
                BiConsumer<PersistedMessage, String> dead,
                PersistedMessage message) {
            if (outcome instanceof Outcome.Published mark) {
                published.accept(message, mark.publishId());
            } else if (outcome instanceof Outcome.Failed mark) {
                failed.mark(message, mark.reason(), mark.retryAfter());
            } else if (outcome instanceof Outcome.DeadLettered mark) {
                dead.accept(message, mark.reason());
            }
        }
    }
}

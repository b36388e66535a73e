package dev.outbox.benchmarks;

/** Writing transactions of so many messages each. */
final class Persist implements Contest.Side {
    /** So many transactions of so many messages. */
    interface Work {
        void run(int transactions, int messages) throws Exception;
    }

    private final Backend backend;
    private final Work work;
    private final int messages;

    private Persist(Backend backend, Work work, int messages) {
        this.backend = backend;
        this.work = work;
        this.messages = messages;
    }

    static Persist library(Backend backend, int messages) {
        return new Persist(backend, backend::persist, messages);
    }

    static Persist byHand(Backend backend, int messages) {
        return new Persist(backend, backend::persistBare, messages);
    }

    @Override
    public int unit() {
        return messages;
    }

    @Override
    public void prepare(int all) throws Exception {
        backend.fill(Load.of(1));
    }

    @Override
    public void run(int some) throws Exception {
        work.run(some / messages, messages);
    }

    @Override
    public void tidy() {}
}

package dev.outbox.benchmarks;

/** Writing so many transactions of so many messages each. */
record Persist(Backend backend, int transactions, int messages) {
    Contest.Side library() {
        return side(backend::persist);
    }

    Contest.Side byHand() {
        return side(backend::persistBare);
    }

    private Contest.Side side(Work work) {
        return new Contest.Side() {
            @Override
            public void prepare() throws Exception {
                backend.fill(1, 1);
            }

            @Override
            public int run(int parts) throws Exception {
                work.run(transactions / parts, messages);
                return transactions / parts * messages;
            }

            @Override
            public void tidy() {}
        };
    }

    private interface Work {
        void run(int transactions, int messages) throws Exception;
    }
}

package dev.outbox.benchmarks;

/** Writing so many transactions of so many messages each. */
record Persist(Backend backend, int transactions, int messages) {
    Contest.Side library() {
        return side(() -> backend.persist(transactions, messages));
    }

    Contest.Side byHand() {
        return side(() -> backend.persistBare(transactions, messages));
    }

    private Contest.Side side(Work work) {
        return new Contest.Side() {
            @Override
            public void prepare() throws Exception {
                backend.fill(1, 1);
            }

            @Override
            public int run() throws Exception {
                work.run();
                return transactions * messages;
            }
        };
    }

    private interface Work {
        void run() throws Exception;
    }
}

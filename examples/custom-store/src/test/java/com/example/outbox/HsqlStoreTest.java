package com.example.outbox;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;

class HsqlStoreTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new HsqlHarness();
    }
}

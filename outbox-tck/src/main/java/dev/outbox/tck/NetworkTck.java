package dev.outbox.tck;

/**
 * {@link StoreTck} and {@link Level#NETWORK} as well, for a store whose backend listens on a TCP port:
 *
 * <pre>{@code
 * class MyStoreTest extends NetworkTck {
 *     @Override
 *     public NetworkHarness harness() {
 *         return new MyHarness();
 *     }
 * }
 * }</pre>
 */
@SuppressWarnings("exports") // what the tests are made of is nobody's to use
public abstract class NetworkTck extends StoreTck implements NetworkRules {
    /** For subclasses. */
    protected NetworkTck() {}

    /** The store to test; asked for once per test. */
    @Override
    public abstract NetworkHarness harness();
}

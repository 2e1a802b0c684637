// What the embedded server lacks: writes that are in the file when they are answered, whole; databases that go alone; and
// an index that serves any query which names all its keys, and perhaps more.
//
// As the library comes, it answers first and writes the file later. Here the file is committed before the answer, and
// never while a write is half done: a document and its entries in indexes are maps of their own, and what is committed is
// all of them, as they are. So writes share a lock, and the commit has it alone; it is one commit for all that are done by
// then. A read, too, is answered when what it saw is in the file. When the file cannot be written the library closes its
// store for good: then this process ends.
//
// As the library comes, its index on _id is used for the query {_id: x} alone; {_id: x, college: y, version: 3}, which is
// how every load, save and clearing asks, reads the whole collection. Whatever an index finds is held against the whole
// query afterwards by the library itself, so that all this changes is how many documents are looked at.
//
// As the library comes, it opens all databases anew to tell their names, and their indexes with them, which live requests
// are changing. Here each is opened once. And pages that a request may still read are kept until it is answered.
//
// Compiled when the server starts (mongo_server.py), by Eclipse's compiler, as the Java here has none.

package tyrsky.local;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.Oplog;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

public class MongoStore extends H2Backend {
    private static final Set<String> WRITES = Set.of(
        "insert", "update", "delete", "findandmodify", "create", "createindexes", "drop", "dropindexes", "dropdatabase");

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private Map<String, MongoDatabase> open; // made when the first is opened, and that is before this class's own fields are
    private final int full;

    /** @param full what the process ends with when its file cannot be written */
    public MongoStore(MVStore store, int full) {
        super(store);
        this.full = full;
    }

    @Override
    public Document handleMessage(MongoMessage message) {
        MVStore store = getMvStore();
        MVStore.TxCounter pages = store.registerVersionUsage();
        try {
            Document answer = writes(message.getDocument()) ? written(message) : super.handleMessage(message);
            keep();
            if (!store.isClosed()) {
                return answer;
            }
        } catch (RuntimeException error) {
            if (!store.isClosed()) {
                throw error; // a command that the server refuses
            }
        } finally {
            store.deregisterVersionUsage(pages);
        }
        // Whoever asked gets no answer, which is the truth: what is in memory is not in the file.
        System.out.println("the file cannot be written: this process ends");
        Runtime.getRuntime().halt(full);
        return null;
    }

    private static boolean writes(Document command) {
        String name = command.keySet().iterator().next().toLowerCase(Locale.ROOT);
        boolean moves = name.equals("renamecollection") || name.equals("aggregate") && endsElsewhere(command.get("pipeline"));
        if (moves) { // the library moves it in memory alone: after the next start it would be empty
            throw new MongoServerError(115, "CommandNotSupported", "the embedded store cannot rename, nor $out");
        }
        return WRITES.contains(name);
    }

    private static boolean endsElsewhere(Object pipeline) {
        return pipeline instanceof List<?> stages
            && stages.stream().anyMatch(stage -> stage instanceof Document each && each.containsKey("$out"));
    }

    private Document written(MongoMessage message) {
        lock.readLock().lock();
        try {
            return super.handleMessage(message);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Also before a read is answered: what somebody has seen is not lost either. */
    private void keep() {
        lock.readLock().lock(); // not while a commit is under way
        boolean unsaved = getMvStore().hasUnsavedChanges();
        lock.readLock().unlock();
        if (!unsaved) {
            return;
        }
        lock.writeLock().lock();
        try {
            if (getMvStore().hasUnsavedChanges()) { // else somebody's commit had this in it too
                getMvStore().commit();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    protected synchronized MongoDatabase openOrCreateDatabase(String name) {
        if (open == null) {
            open = new ConcurrentHashMap<>();
        }
        return open.computeIfAbsent(name, Database::new);
    }

    class Database extends H2Database {
        Database(String name) {
            super(name, getMvStore(), getCursorRegistry());
        }

        /** As the library comes, the data of all databases goes whose names begin with this one's. */
        @Override
        public void drop(Oplog oplog) {
            open.remove(getDatabaseName());
            String data = "databases." + getDatabaseName() + ".";
            for (String name : getMvStore().getMapNames()) {
                if (name.startsWith(data) && !name.startsWith(data + "system.")) {
                    dropCollection(name.substring(data.length()), oplog);
                }
            }
            for (String name : getMvStore().getMapNames()) { // those of the system, and indexes that nobody knows of
                for (String kind : List.of("", "databases.", "meta.")) {
                    if (name.startsWith(kind + getDatabaseName() + ".")) {
                        getMvStore().removeMap(name);
                    }
                }
            }
        }

        @Override
        protected Index<Object> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            return Polled.by(keys) ? new Polled(name, keys) : super.openOrCreateSecondaryIndex(collection, name, keys, sparse);
        }

        /** What does not hold as many as there are documents is emptied, for then the library fills it. */
        @Override
        protected Index<Object> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
            MVMap<Object, Object> entries = getMvStore().openMap(getFullCollectionNamespace(collection) + "._index_" + name);
            MVMap<Object, Object> documents = getMvStore().openMap("databases." + getFullCollectionNamespace(collection));
            if (!entries.isEmpty() && entries.sizeAsLong() != documents.sizeAsLong()) {
                if (!sparse) {
                    System.out.printf("an index of %s holds %d of %d: it is made anew%n",
                        getFullCollectionNamespace(collection), entries.sizeAsLong(), documents.sizeAsLong());
                }
                entries.clear();
            }
            return new Narrowing(super.openOrCreateUniqueIndex(collection, name, keys, sparse), keys, sparse);
        }
    }

    /** The library's index, asked with those of the query's fields that it is about. */
    static class Narrowing extends Index<Object> {
        private final Index<Object> index;

        Narrowing(Index<Object> index, List<IndexKey> keys, boolean sparse) {
            super(index.getName(), keys, sparse);
            this.index = index;
        }

        private Document about(Document query) {
            Document about = new Document();
            for (String name : keys()) {
                if (!query.containsKey(name)) {
                    return null;
                }
                about.put(name, query.get(name));
            }
            return about;
        }

        @Override
        public boolean canHandle(Document query) {
            Document about = about(query);
            return about != null && index.canHandle(about);
        }

        @Override
        public Iterable<Object> getPositions(Document query) {
            return index.getPositions(about(query));
        }

        @Override
        public Object getPosition(Document document) {
            return index.getPosition(document);
        }

        @Override
        public boolean isUnique() {
            return index.isUnique();
        }

        @Override
        public boolean isEmpty() {
            return index.isEmpty();
        }

        @Override
        public void checkAdd(Document document, MongoCollection<Object> collection) {
            index.checkAdd(document, collection);
        }

        @Override
        public void add(Document document, Object position, MongoCollection<Object> collection) {
            index.add(document, position, collection);
        }

        @Override
        public Object remove(Document document) {
            return index.remove(document);
        }

        @Override
        public void checkUpdate(Document before, Document after, MongoCollection<Object> collection) {
            index.checkUpdate(before, after, collection);
        }

        @Override
        public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
            index.updateInPlace(before, after, position, collection);
        }

        @Override
        public long getCount() {
            return index.getCount();
        }

        @Override
        public long getDataSize() {
            return index.getDataSize();
        }

        @Override
        public void drop() {
            index.drop();
        }
    }
}

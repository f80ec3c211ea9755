import asyncio, nats, json
async def main():
    a = await nats.connect("nats://admin:a@127.0.0.1:14222")
    js = a.jetstream()
    for n,s in (("S","s.>"),("V","v.>")):
        await js.add_stream(name=n, subjects=[s])
    await js.publish("s.1", b"hello"); await js.publish("v.1", b"x")
    async def err(e): print("ERR", e)
    e = await nats.connect("nats://evil:e@127.0.0.1:14222", error_cb=err)
    # push consumer, headers only, deliver to stream delete
    for ds in ("$JS.API.STREAM.DELETE.V", "v.injected"):
        name="p"+ds.replace(".","").replace("$","")
        r = await e.request("$JS.API.CONSUMER.CREATE.S."+name+".s.1", json.dumps({"stream_name":"S","config":{"name":name,"filter_subject":"s.1","deliver_subject":ds,"headers_only":True,"ack_policy":"none","deliver_policy":"all","flow_control":False,"inactive_threshold":60000000000},"action":""}).encode())
        print(ds, r.data[:200])
    await asyncio.sleep(1)
    try: print("V", (await js.stream_info("V")).state.messages)
    except Exception as x: print("V gone", repr(x))
    # pull with hostile reply
    r = await e.request("$JS.API.CONSUMER.CREATE.S.pull.s.2", json.dumps({"stream_name":"S","config":{"name":"pull","durable_name":"pull","filter_subject":"s.2","ack_policy":"explicit"},"action":""}).encode())
    print(r.data[:100])
    for rep in ("$JS.API.STREAM.DELETE.V","v.fromreply"):
        await e.publish("$JS.API.CONSUMER.MSG.NEXT.S.pull", json.dumps({"batch":1,"no_wait":True}).encode(), reply=rep)
    # publish s.1 with reply v.ack
    await e.publish("s.9", b"x", reply="v.puback")
    await e.publish("s.9", b"x", reply="$JS.API.STREAM.DELETE.V")
    await asyncio.sleep(1)
    try:
        i = await js.stream_info("V", subjects_filter=">"); print("V", i.state.messages, i.state.subjects)
        for q in range(1, i.state.messages+1):
            m = await js.get_msg("V", q); print(m.subject, m.data, m.headers)
    except Exception as x: print("V gone", repr(x))
    # responder
    rc = await nats.connect("nats://resp:r@127.0.0.1:14222", error_cb=err)
    async def cb(m):
        await rc.publish(m.reply, b"answer"); await rc.publish("s.direct", b"no"); await rc.flush()
    await rc.subscribe("svc.x", "q", cb); await rc.flush()
    print((await a.request("svc.x", b"")).data)
    await a.publish("svc.x", b"", reply="v.confused"); await asyncio.sleep(.5)
    i = await js.stream_info("V", subjects_filter=">"); print("V", i.state.subjects)
    s = await js.pull_subscribe("s.1", "d"); m=(await s.fetch(1))[0]; print("ack subject", m.reply)
asyncio.run(main())
